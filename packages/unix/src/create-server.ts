// Checks where listen() should listen, and makes the server for it.
import { dirname } from 'node:path';
import { checkBoolean, checkDescriptor, checkInteger } from '@rxsock/core/internal';
import { checkLength, longestPath, parseAddress } from './address.js';
import { InheritedSocketServer } from './inherited-socket-server.js';
import type { InheritedSocketOptions, ListenOptions, NewSocketOptions } from './listen-options.js';
import { NewSocketServer } from './new-socket-server.js';
import { TEMPORARY_SUFFIX } from './temporary-name.js';
import type { UnixServer, UnixServerOptions } from './unix-server.js';

export interface ServerFactory {
  /** Makes a server that does not listen yet. */
  readonly create: (options: UnixServerOptions) => UnixServer;
  /** The name of the server in messages until it listens. */
  readonly target: string;
}

/** Checks the options at the call, before anything is opened. */
export function serverFactory(options: ListenOptions): ServerFactory {
  return options.fd === undefined ? newSocketFactory(options) : inheritedSocketFactory(options);
}

function newSocketFactory(options: NewSocketOptions): ServerFactory {
  const address = parseAddress(options);
  const { mode = 0o600, removeStale = false } = options;
  if (address.hasFile) {
    const limit = longestPath() - TEMPORARY_SUFFIX.length;
    checkLength('The directory of a path to listen on', dirname(address.nodePath), limit);
  } else if (process.platform !== 'win32' && (options.mode !== undefined || removeStale)) {
    throw new TypeError('An abstract name has no file: leave mode and removeStale out');
  }
  checkInteger('mode', mode, 0, 0o777, 'an integer from 0 to 0o777');
  checkBoolean('removeStale', removeStale);
  return {
    create: (options) => new NewSocketServer(address, { ...options, mode, removeStale }),
    target: address.target,
  };
}

function inheritedSocketFactory({ fd, path, ...others }: InheritedSocketOptions): ServerFactory {
  checkDescriptor('fd', fd);
  const { abstract, mode, removeStale } = others as NewSocketOptions;
  if (abstract !== undefined || mode !== undefined || removeStale !== undefined)
    throw new TypeError('fd already has a name and a mode: leave abstract, mode and removeStale out');
  const fileAddress = path === undefined ? undefined : parseAddress({ path });
  if (fileAddress && !fileAddress.hasFile) throw new TypeError('An abstract name has no file: leave path out');
  return { create: (options) => new InheritedSocketServer(fd, fileAddress, options), target: `descriptor ${fd}` };
}
