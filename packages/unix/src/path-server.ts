// A net.Server that puts its file in place when it accepts, with the mode asked for.
//
// The file is made in a directory that only we may enter, gets its mode there, and is then linked to where it belongs: a
// link fails where something is already. The umask would spoil the files that other code makes at the same moment.
import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { PathEndpoint } from '@rxsock/core';
import type { Place } from './address.js';
import { FileServer, type FileServerOptions } from './file-server.js';
import { isRefused, socketAt, takeAway } from './stale.js';

/**
 * What comes behind the directory while the file is made; the X stand for six letters. At the end libuv removes this name
 * once more, when the directory is gone and its name anybody's: so it is one that no file has.
 */
export const TEMPORARY = '/.XXXXXX/=';

/** The name that such a socket goes by for the system, which knows nothing of its link. */
export const TEMPORARY_NAME = /\/\.[A-Za-z0-9]{6}\/=$/;

interface PathServerOptions extends FileServerOptions {
  readonly mode: number;
  readonly removeStale: boolean;
}

export class PathServer extends FileServer {
  readonly #place: Place;
  readonly #options: PathServerOptions;
  #stopped = false;

  constructor(place: Place, options: PathServerOptions) {
    super(options);
    this.#place = place;
    this.#options = options;
  }

  get endpoint(): PathEndpoint {
    return this.#place.endpoint;
  }

  start(): this {
    const { name, isFile } = this.#place;
    const found = isFile && this.#options.removeStale ? socketAt(name) : undefined;
    if (!isFile) this.#accept(name);
    else if (!found) this.#bind();
    else isRefused(name).then((refused) => this.#stopped || this.#bind(refused ? found : undefined));
    return this;
  }

  override close(done?: (error?: Error) => void): this {
    this.#stopped = true;
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
      this.file = ours;
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
    } finally {
      if (folder) remove(folder);
    }
  }

  #fail(cause: NodeJS.ErrnoException): void {
    const code = cause.code === 'EEXIST' ? 'EADDRINUSE' : (cause.code ?? 'EIO');
    const { target, endpoint } = this.#place;
    this.fail(`${target}: ${REASONS[code] ?? cause.message}`, { code, local: endpoint, cause });
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
