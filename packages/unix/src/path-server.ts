// A net.Server that puts its file in place when it accepts, with the mode asked for, and takes it away when it stops.
//
// The file is made in a directory that only we may enter, gets its mode there, and is then linked to where it belongs: a
// link fails where something is already. The umask would spoil the files that other code makes at the same moment.
import fs from 'node:fs';
import net from 'node:net';
import { dirname, resolve } from 'node:path';
import { SocketError } from '@rxsock/core';
import type { Place } from './address.js';
import { isRefused, isSame, socketAt, takeAway } from './stale.js';

/**
 * What comes behind the directory while the file is made; the X stand for six letters. At the end libuv removes this name
 * once more, when the directory is gone and its name anybody's: so it is one that no file has.
 */
export const TEMPORARY = '/.XXXXXX/=';

interface PathServerOptions {
  readonly mode: number;
  readonly removeStale: boolean;
  readonly backlog: number;
  readonly highWaterMark: number;
}

export class PathServer extends net.Server {
  readonly #place: Place;
  readonly #options: PathServerOptions;
  /** Our file, while it accepts, and where it is whatever the working directory becomes. */
  #file: (fs.BigIntStats & { readonly path: string }) | undefined;
  #stopped = false;

  constructor(place: Place, options: PathServerOptions) {
    super({ allowHalfOpen: true, pauseOnConnect: true, highWaterMark: options.highWaterMark } as net.ServerOpts);
    this.#place = place;
    this.#options = options;
  }

  /** Begins to listen. */
  start(): this {
    const { name, isFile } = this.#place;
    const found = isFile && this.#options.removeStale ? socketAt(name) : undefined;
    if (!isFile) this.#accept(name);
    else if (!found) this.#bind();
    else isRefused(name).then((refused) => this.#stopped || this.#bind(refused ? found : undefined));
    return this;
  }

  /** Stops accepting: from now on the path is free. */
  override close(done?: (error?: Error) => void): this {
    this.#stopped = true;
    const file = this.#file;
    this.#file = undefined;
    try {
      // Not what somebody else has put there since.
      if (file && isSame(file, fs.lstatSync(file.path, { bigint: true }))) fs.unlinkSync(file.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') process.emitWarning(error as Error);
    }
    return super.close(done);
  }

  // At once: in a cluster, the primary process would do it otherwise, and later.
  #accept(path: string): void {
    this.listen({ path, backlog: this.#options.backlog, exclusive: true });
  }

  #bind(stale?: fs.BigIntStats): void {
    const { name } = this.#place;
    let folder: string | undefined;
    try {
      folder = fs.mkdtempSync(`${dirname(name)}/.`);
      const file = `${folder}/=`;
      this.#accept(file);
      if (!this.listening) return; // an 'error' is on its way
      fs.chmodSync(file, this.#options.mode);
      const ours = Object.assign(fs.lstatSync(file, { bigint: true }), { path: resolve(name) });
      if (stale) takeAway(stale, name, `${folder}/-`);
      fs.linkSync(file, name);
      this.#file = ours;
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    } finally {
      if (folder) remove(folder);
    }
  }

  #fail(cause: NodeJS.ErrnoException): void {
    const code = cause.code === 'EEXIST' ? 'EADDRINUSE' : (cause.code ?? 'EIO');
    const why = `Cannot listen on ${this.#place.target}: ${REASONS[code] ?? cause.message}`;
    const error = new SocketError(why, { code, phase: 'open', local: this.#place.endpoint, cause });
    // First this, then 'close'.
    process.nextTick(() => this.emit('error', error));
    this.close();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something is there; removeStale: true takes away a socket on which nobody listens, and nothing else',
  ENOENT: 'there is no such directory: make it first',
  EACCES: 'this user may not make files in its directory',
};

function remove(folder: string): void {
  try {
    fs.rmSync(`${folder}/=`, { force: true });
    fs.rmdirSync(folder);
  } catch (error) {
    process.emitWarning(error as Error);
  }
}
