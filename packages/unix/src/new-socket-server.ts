// A server that makes its socket. The file of the socket appears with its final mode, and never replaces another file.
//
// The socket is bound in a temporary directory that only this user may enter, and gets its mode there. Then its file is
// linked to the path; linking fails if something is already there. Setting the umask instead would also change the mode
// of the files that other code of this process makes at the same moment.
import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { PathEndpoint } from '@rxsock/core';
import type { ParsedAddress } from './address.js';
import { findSocketFile, isConnectionRefused, removeStaleFile } from './stale-file.js';
import { UnixServer, type UnixServerOptions } from './unix-server.js';

interface NewSocketServerOptions extends UnixServerOptions {
  readonly mode: number;
  readonly removeStale: boolean;
}

export class NewSocketServer extends UnixServer {
  readonly #address: ParsedAddress;
  readonly #options: NewSocketServerOptions;
  #isStopped = false;

  constructor(address: ParsedAddress, options: NewSocketServerOptions) {
    super(options);
    this.#address = address;
    this.#options = options;
  }

  get endpoint(): PathEndpoint {
    return this.#address.endpoint;
  }

  start(): this {
    const { nodePath, hasFile } = this.#address;
    const stale = hasFile && this.#options.removeStale ? findSocketFile(nodePath) : undefined;
    if (!hasFile) this.#listenOn(nodePath);
    else if (!stale) this.#makeFile();
    else
      isConnectionRefused(nodePath).then((refused) => this.#isStopped || this.#makeFile(refused ? stale : undefined));
    return this;
  }

  override close(callback?: (error?: Error) => void): this {
    this.#isStopped = true;
    return super.close(callback);
  }

  #listenOn(path: string): void {
    // `exclusive`: otherwise a cluster worker would let its primary process bind the socket, later.
    this.listen({ path, backlog: this.#options.backlog, exclusive: true });
  }

  /** Binds the socket, and links its file to the path. Removes the stale file there, if one is given. */
  #makeFile(stale?: fs.BigIntStats): void {
    const { nodePath } = this.#address;
    let directory: string | undefined;
    try {
      directory = fs.mkdtempSync(`${dirname(nodePath)}/.`);
      const temporary = `${directory}/=`;
      this.#listenOn(temporary);
      if (!this.listening) return; // Node emits an 'error' later.
      fs.chmodSync(temporary, this.#options.mode);
      const file = Object.assign(fs.lstatSync(temporary, { bigint: true }), { path: resolve(nodePath) });
      if (stale) removeStaleFile(stale, nodePath, `${directory}/-`);
      fs.linkSync(temporary, nodePath);
      this.file = file;
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    } finally {
      if (directory) removeTemporary(directory);
    }
  }

  #fail(cause: NodeJS.ErrnoException): void {
    const code = cause.code === 'EEXIST' ? 'EADDRINUSE' : (cause.code ?? 'EIO');
    const { target, endpoint } = this.#address;
    this.fail(`${target}: ${REASONS[code] ?? cause.message}`, { code, local: endpoint, cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'something is already there; removeStale: true removes a socket on which nobody listens, and nothing else',
  ENOENT: 'its directory does not exist: create it first',
  EACCES: 'this user may not create files in its directory',
};

function removeTemporary(directory: string): void {
  try {
    // Not rmSync(): once it has removed a socket, Node 20 resolves no symbolic link of a package any more.
    if (fs.existsSync(`${directory}/=`)) fs.unlinkSync(`${directory}/=`);
    fs.rmdirSync(directory);
  } catch (error) {
    process.emitWarning(error as Error);
  }
}
