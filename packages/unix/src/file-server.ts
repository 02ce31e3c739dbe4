// A net.Server whose file goes when it stops, unless somebody else goes on listening there.
import fs from 'node:fs';
import net from 'node:net';
import { type PathEndpoint, SocketError } from '@rxsock/core';
import { isListed } from './kernel.js';
import { isSame } from './stale.js';

/** A file, and where it is whatever the working directory becomes. */
export type FoundFile = fs.BigIntStats & { readonly path: string };

export interface FileServerOptions {
  readonly backlog: number;
  readonly highWaterMark: number;
}

export abstract class FileServer extends net.Server {
  /** Where it listens. */
  abstract readonly endpoint: PathEndpoint;
  /** Its file, while it accepts. */
  protected file: FoundFile | undefined;
  /** Whether the socket came from another process, which may still listen on it. */
  protected inherited = false;
  #surrendered = false;

  constructor({ highWaterMark }: FileServerOptions) {
    super({ allowHalfOpen: true, pauseOnConnect: true, highWaterMark } as net.ServerOpts);
  }

  /** Begins to listen. */
  abstract start(): this;

  /** Another process listens on the same socket from now on, and takes care of the file. */
  surrender(): void {
    this.#surrendered = true;
  }

  /** Stops accepting: from now on the path is free, unless others listen on the same socket. */
  override close(done?: (error?: Error) => void): this {
    const { file } = this;
    this.file = undefined;
    if (!file) return super.close(done);
    if (!this.inherited && !this.#surrendered) {
      takeAway(file, (found) => isSame(file, found));
      return super.close(done);
    }
    // A process that has it from us, or we from it, would not be found any more without its file.
    const socket = this.#inode();
    const isTold = isListed(socket);
    super.close(done);
    // The number of a file may be given away as soon as its socket is closed: so the time counts, too.
    if (isTold ? !isListed(socket) : !this.#surrendered)
      takeAway(file, (found) => isSame(file, found) && file.mtimeNs === found.mtimeNs);
    return this;
  }

  /** Tells that it cannot listen, and closes. */
  protected fail(
    why: string,
    options: { readonly code: string; readonly local: PathEndpoint | undefined; readonly cause?: unknown },
  ): void {
    const error = new SocketError(`Cannot listen on ${why}`, { ...options, phase: 'open' });
    // First this, then 'close'.
    process.nextTick(() => this.emit('error', error));
    this.close();
  }

  /** Of its socket, which is not that of its file. */
  #inode(): bigint {
    const { _handle: handle } = this as unknown as { readonly _handle?: { readonly fd?: number } | null };
    return handle?.fd === undefined ? -1n : fs.fstatSync(handle.fd, { bigint: true }).ino;
  }
}

// Not what somebody else has put there since.
function takeAway({ path }: FoundFile, isOurs: (found: fs.BigIntStats) => boolean): void {
  try {
    if (isOurs(fs.lstatSync(path, { bigint: true }))) fs.unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') process.emitWarning(error as Error);
  }
}
