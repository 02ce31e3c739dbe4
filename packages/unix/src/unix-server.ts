// The base of both kinds of servers: a net.Server that removes its file when it stops accepting, unless another process
// still listens on the same socket.
import fs, { type BigIntStats } from 'node:fs';
import * as net from 'node:net';
import { type PathEndpoint, SocketError } from '@rxsock/core';
import { failServer } from '@rxsock/core/internal';
import { isSameFile, isSameUnchangedFile } from './file-identity.js';
import { isListed } from './proc-net-unix.js';

/** A file with its absolute path, which stays valid when the working directory changes. */
export type SocketFile = BigIntStats & { readonly path: string };

export interface UnixServerOptions {
  readonly backlog: number;
  readonly highWaterMark: number;
}

export abstract class UnixServer extends net.Server {
  /** Where the server listens. */
  abstract readonly endpoint: PathEndpoint;
  /** The file to remove when the server stops accepting. */
  protected file: SocketFile | undefined;
  /** Whether the socket came from another process, which may still listen on it. */
  protected readonly isInherited: boolean = false;
  #isSurrendered = false;

  constructor({ highWaterMark }: UnixServerOptions) {
    super({ allowHalfOpen: true, pauseOnConnect: true, highWaterMark } as net.ServerOpts);
  }

  /** Begins to listen. */
  abstract start(): this;

  /** Another process listens on the same socket from now on, and removes the file when it stops. */
  surrender(): void {
    this.#isSurrendered = true;
  }

  /** Stops accepting. The path is free at once, unless another process listens on the same socket. */
  override close(callback?: (error?: Error) => void): this {
    const { file } = this;
    this.file = undefined;
    if (!file) return super.close(callback);
    if (!this.isInherited && !this.#isSurrendered) {
      removeFile(file, isSameFile);
      return super.close(callback);
    }
    // If another process listens on this socket, its clients need the file: they find the socket by it alone.
    const inode = this.#socketInode();
    const hasTable = isListed(inode);
    super.close(callback);
    const isInUse = hasTable ? isListed(inode) : this.#isSurrendered;
    if (!isInUse) removeFile(file, isSameUnchangedFile);
    return this;
  }

  /** Closes the server with an error that says why it cannot listen. */
  protected fail(
    why: string,
    options: { readonly code: string; readonly local: PathEndpoint | undefined; readonly cause?: unknown },
  ): void {
    failServer(this, new SocketError(`Cannot listen on ${why}`, { ...options, phase: 'open' }));
  }

  /** The inode of the socket. Its file has another one. */
  #socketInode(): bigint {
    const { _handle: handle } = this as unknown as { readonly _handle?: { readonly fd?: number } | null };
    return handle?.fd === undefined ? -1n : fs.fstatSync(handle.fd, { bigint: true }).ino;
  }
}

/** Removes the server's own file, but not one that another process has put in its place. */
function removeFile(file: SocketFile, isSame: (file: BigIntStats, found: BigIntStats) => boolean): void {
  try {
    if (isSame(file, fs.lstatSync(file.path, { bigint: true }))) fs.unlinkSync(file.path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') process.emitWarning(error as Error);
  }
}
