// inheritedListeners(): the listening sockets that systemd, or handOver(), passed to this process.

import { fstatSync } from 'node:fs';
import { checkObject, checkOptions, checkStrings } from '../base/check.js';
import { InheritedListenersError } from './errors.js';

/** A listening socket that this process inherited: see {@link inheritedListeners}. */
export interface InheritedListener {
  /** The file descriptor, for `listen({ fd })`. */
  readonly fd: number;
  /**
   * The name: `FileDescriptorName=` of the systemd unit, or the server's name in `handOver`. `'unknown'` if it has
   * none.
   */
  readonly name: string;
}

/** Options of {@link inheritedListeners}. */
export interface InheritedListenersOptions {
  /**
   * The names that the inherited sockets must have, no more and no fewer. The result is in this order. Not checked if
   * the process inherited no sockets.
   * @defaultValue any names, in the order of the descriptors
   */
  readonly names?: readonly string[] | undefined;
  /** The environment variables to read. They are not changed. @defaultValue `process.env` */
  readonly env?: Readonly<NodeJS.ProcessEnv> | undefined;
}

/** The first inherited descriptor, as `sd_listen_fds` defines it: after standard input, output and error. */
const FIRST_DESCRIPTOR = 3;

/**
 * Returns the listening sockets that this process inherited, from systemd's socket activation or from {@link handOver}.
 *
 * The list is empty if the process inherited none; then the program opens its own socket. Descriptors that were passed
 * to another process, for example the parent, do not count: `LISTEN_PID` names the process. On Windows the list is
 * empty.
 *
 * The function only reads the environment, so you can call it again. Each descriptor can be listened on once.
 *
 * @throws At the call: {@link InheritedListenersError}: `ERR_LISTEN_FDS_INVALID` if `LISTEN_FDS`, `LISTEN_FDNAMES` and
 * the open descriptors do not agree, `ERR_LISTEN_FDS_MISSING` if the inherited sockets do not have exactly the given
 * `names`; TypeError for an option with an invalid value.
 * @see https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
 *
 * @example
 * ```ts
 * import { data, listen, serve } from '@rxsock/core';
 * import { inheritedListeners } from '@rxsock/core/process';
 *
 * const [inherited] = inheritedListeners();
 * const server = listen(inherited ? { fd: inherited.fd } : { port: 7000 });
 * server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
 * ```
 */
export function inheritedListeners(options: InheritedListenersOptions = {}): InheritedListener[] {
  checkOptions(options, "{ names: ['http'] }");
  const { names: wantedNames, env = process.env } = options;
  if (wantedNames !== undefined) checkStrings('names', wantedNames);
  checkObject('env', env);
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: joinedNames } = env;
  if (pid === undefined || count === undefined || Number(pid) !== process.pid) return [];
  if (!/^\d{1,5}$/.test(count)) throw invalidError(`LISTEN_FDS must be an integer, 0 or more, not ${count}`);
  if (Number(count) === 0) return [];
  const names = joinedNames?.split(':') ?? new Array<string>(Number(count)).fill('unknown');
  if (names.length !== Number(count))
    throw invalidError(`LISTEN_FDS is ${count}, but LISTEN_FDNAMES has ${names.length} names: ${joinedNames}`);
  const inherited = names.map((name, index) => ({ fd: FIRST_DESCRIPTOR + index, name }));
  for (const { fd } of inherited) {
    if (!isSocket(fd)) throw invalidError(`LISTEN_FDS is ${count}, but descriptor ${fd} is not an open socket`);
  }
  return wantedNames ? sortByNames(inherited, wantedNames) : inherited;
}

/** Returns the listeners in the order of `wantedNames`. Throws unless each name has exactly one listener. */
function sortByNames(inherited: InheritedListener[], wantedNames: readonly string[]): InheritedListener[] {
  const remaining = [...inherited];
  const sorted = wantedNames.flatMap((name) => {
    const index = remaining.findIndex((listener) => listener.name === name);
    return index < 0 ? [] : remaining.splice(index, 1);
  });
  if (remaining.length === 0 && sorted.length === wantedNames.length) return sorted;
  const inheritedNames = inherited.map(({ name }) => name);
  const message = `Descriptors named ${quote(wantedNames)} were requested, but ${quote(inheritedNames)} were inherited`;
  throw new InheritedListenersError(message, { code: 'ERR_LISTEN_FDS_MISSING' });
}

const quote = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(', ') || 'none';

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

function invalidError(message: string): InheritedListenersError {
  return new InheritedListenersError(message, { code: 'ERR_LISTEN_FDS_INVALID' });
}
