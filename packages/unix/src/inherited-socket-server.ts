// A server on a socket that this process has inherited. It removes the file of the socket only if it was given its
// path.
import fs from 'node:fs';
import { resolve } from 'node:path';
import type { PathEndpoint } from '@rxsock/core';
import { listenOnDescriptor } from '@rxsock/core/internal';
import { type ParsedAddress, UNNAMED } from './address.js';
import { boundName } from './proc-net-unix.js';
import { isTemporaryName } from './temporary-name.js';
import { UnixServer, type UnixServerOptions } from './unix-server.js';

export class InheritedSocketServer extends UnixServer {
  protected override readonly isInherited = true;
  readonly #fd: number;
  readonly #fileAddress: ParsedAddress | undefined;
  readonly #backlog: number;
  #endpoint = UNNAMED;

  /** @param fileAddress The path of the file that this server removes; `undefined` to leave the file alone. */
  constructor(fd: number, fileAddress: ParsedAddress | undefined, options: UnixServerOptions) {
    super(options);
    this.#fd = fd;
    this.#fileAddress = fileAddress;
    this.#backlog = options.backlog;
  }

  /** Its path is empty while it is not known. */
  get endpoint(): PathEndpoint {
    return this.#endpoint;
  }

  start(): this {
    const reason = 'it is not a UNIX socket that can listen, or it is not open';
    if (!listenOnDescriptor(this, this.#fd, this.#backlog, reason)) return this;
    if (this.address() !== null) this.#refuse('EINVAL', 'it is a TCP socket: use listen() of @rxsock/core');
    else if (this.#fileAddress) this.#adoptFile(this.#fileAddress);
    else this.#endpoint = { path: nameOf(this.#fd) };
    return this;
  }

  /**
   * Takes over the file at a path. Whether it is the file of this very socket cannot be checked: a server of this
   * library binds its socket under another name.
   */
  #adoptFile({ nodePath, endpoint }: ParsedAddress): void {
    try {
      const found = fs.lstatSync(nodePath, { bigint: true });
      if (!found.isSocket()) return this.#refuse('ENOTSOCK', `${nodePath} is not a socket, so it cannot be its file`);
      this.file = Object.assign(found, { path: resolve(nodePath) });
      this.#endpoint = endpoint;
    } catch (error) {
      const { code = 'EIO', message } = error as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? `nothing is at ${nodePath}, where its file should be` : message;
      this.#refuse(code, why, error);
    }
  }

  #refuse(code: string, why: string, cause?: unknown): void {
    this.fail(`descriptor ${this.#fd}: ${why}`, { code, local: this.#fileAddress?.endpoint, cause });
  }
}

/** The name that the socket was bound to; the empty string if it is unknown or temporary. */
function nameOf(fd: number): string {
  const name = boundName(fs.fstatSync(fd, { bigint: true }).ino);
  return isTemporaryName(name) ? '' : name;
}
