// A net.Server on a socket that this process has inherited, with the care of its file where it is given that.
import fs from 'node:fs';
import { resolve } from 'node:path';
import type { PathEndpoint } from '@rxsock/core';
import type { Place } from './address.js';
import { NAMELESS } from './connect.js';
import { FileServer, type FileServerOptions } from './file-server.js';
import { boundName } from './kernel.js';
import { TEMPORARY_NAME } from './path-server.js';

export class DescriptorServer extends FileServer {
  protected override readonly inherited = true;
  readonly #fd: number;
  readonly #place: Place | undefined;
  readonly #backlog: number;
  #endpoint = NAMELESS;

  /** @param place Where its file is, if that is ours to take away. */
  constructor(fd: number, place: Place | undefined, options: FileServerOptions) {
    super(options);
    this.#fd = fd;
    this.#place = place;
    this.#backlog = options.backlog;
  }

  /** The path is empty as long as it is not known. */
  get endpoint(): PathEndpoint {
    return this.#endpoint;
  }

  start(): this {
    // Node calls it an invalid argument, whatever is the matter.
    const explain = (error: Error) => {
      error.message = 'it is no UNIX socket of a server, or is not open';
    };
    this.once('error', explain);
    this.listen({ fd: this.#fd, backlog: this.#backlog });
    if (!this.listening) return this; // that error is on its way; or it is the primary process of a cluster that listens
    this.off('error', explain);
    if (this.address() !== null) this.#refuse('EINVAL', 'it is a socket of TCP: listen of @rxsock/core takes it');
    else if (this.#place) this.#takeCareOf(this.#place);
    else this.#endpoint = { path: nameOf(this.#fd) };
    return this;
  }

  // That it is the file of this very socket nobody can tell: the socket was bound under another name, if it is one of ours.
  #takeCareOf({ name, endpoint }: Place): void {
    try {
      const found = fs.lstatSync(name, { bigint: true });
      if (!found.isSocket()) return this.#refuse('ENOTSOCK', `${name} is no socket, and cannot be its file`);
      this.file = Object.assign(found, { path: resolve(name) });
      this.#endpoint = endpoint;
    } catch (error) {
      const { code = 'EIO', message } = error as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? `nothing is at ${name}, where its file should be` : message;
      this.#refuse(code, why, error);
    }
  }

  #refuse(code: string, why: string, cause?: unknown): void {
    this.fail(`descriptor ${this.#fd}: ${why}`, { code, local: this.#place?.endpoint, cause });
  }
}

function nameOf(fd: number): string {
  const name = boundName(fs.fstatSync(fd, { bigint: true }).ino);
  return TEMPORARY_NAME.test(name) ? '' : name;
}
