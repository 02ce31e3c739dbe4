// A net.Server that puts its file in place when it accepts, with the mode asked for, and takes it away when it stops.
//
// The file is made in a directory that only we may enter, gets its mode there, and is then linked to where it belongs: a
// link fails where something is already. The umask would spoil the files that other code makes at the same moment.
import fs from 'node:fs';
import net from 'node:net';
import { dirname, resolve } from 'node:path';
import { SocketError } from '@rxsock/core';
import type { Place } from './address.js';
import { isSame, staleAt, takeAway } from './stale.js';

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
  /** That of the file, whatever the working directory becomes. */
  readonly #path: string;
  /** The file that is ours, while it accepts. */
  #file: fs.Stats | undefined;
  #stopped = false;

  constructor(place: Place, options: PathServerOptions) {
    const { highWaterMark } = options;
    super({ allowHalfOpen: true, pauseOnConnect: true, highWaterMark } as net.ServerOpts);
    this.#place = place;
    this.#options = options;
    this.#path = place.isFile ? resolve(place.name) : place.name;
  }

  /** Begins to listen. */
  start(): this {
    const { backlog, removeStale } = this.#options;
    // exclusive: a cluster would have the primary process bind it, later and elsewhere.
    if (!this.#place.isFile) return this.listen({ path: this.#place.name, backlog, exclusive: true });
    if (removeStale) staleAt(this.#place.name).then((stale) => this.#stopped || this.#bind(stale));
    else this.#bind();
    return this;
  }

  /** Stops accepting: from now on the path is free. */
  override close(done?: (error?: Error) => void): this {
    this.#stopped = true;
    try {
      // Not what somebody else has put there since.
      if (this.#file && isSame(this.#file, fs.lstatSync(this.#path))) fs.unlinkSync(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') process.emitWarning(error as Error);
    }
    this.#file = undefined;
    return super.close(done);
  }

  // In one go, so that nothing of this process comes between.
  #bind(stale?: fs.Stats): void {
    const { backlog, mode } = this.#options;
    let folder: string | undefined;
    try {
      folder = fs.mkdtempSync(`${dirname(this.#place.name)}/.`);
      const file = `${folder}/=`;
      this.listen({ path: file, backlog, exclusive: true });
      if (!this.listening) return; // an 'error' is on its way
      fs.chmodSync(file, mode);
      const ours = fs.lstatSync(file);
      if (stale) takeAway(stale, this.#path, `${folder}/-`);
      fs.linkSync(file, this.#path);
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
  ENOTDIR: 'what should be its directory is none',
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
