// The addresses of UNIX sockets, and their checks.
import { inspect } from 'node:util';
import type { PathEndpoint } from '@rxsock/core';
import { typeError } from '@rxsock/core/internal';

/** The address of a UNIX socket by its path, or of a Windows pipe by its name. */
export interface PathAddress {
  /**
   * A path of at most 107 bytes on Linux and 103 elsewhere. A relative path starts at the working directory.
   *
   * Two kinds of names are passed to Node unchanged: on Windows the name of a pipe (`\\.\pipe\…`, `\\?\pipe\…`), and on
   * Linux an abstract name with a leading NUL. Node 20 pads such an abstract name with NULs, and newer versions do not.
   * With `abstract` the result is the same on every version.
   */
  readonly path: string;
  readonly abstract?: undefined;
}

/** The address of a UNIX socket by its abstract name. */
export interface AbstractAddress {
  /**
   * A name of at most 107 bytes that is not in the file system; Linux only. Every process in the same network namespace
   * may connect. The name disappears with the socket.
   *
   * On every version of Node, the name is padded with NULs to 108 bytes. A C program finds it with
   * `sizeof(struct sockaddr_un)` as the address length, and socat with `unix-tightsocklen=0`.
   */
  readonly abstract: string;
  readonly path?: undefined;
}

/** The address of a UNIX socket: a path or an abstract name. */
export type UnixAddress = PathAddress | AbstractAddress;

/** A listening socket that this process has inherited. */
export interface InheritedAddress {
  /**
   * The descriptor of a listening UNIX socket: see `inheritedListeners` and `handOver` of `@rxsock/core/process`. The
   * server owns it from now on and closes it. Not on Windows.
   */
  readonly fd: number;
  /**
   * The path of the socket's file, which this server removes when it stops accepting. Pass it for a socket that an
   * older instance of your program has handed over. There must be a socket at the path. Whether it is this one cannot
   * be checked.
   * @defaultValue none: the file stays, for example because systemd removes it
   */
  readonly path?: string | undefined;
  readonly abstract?: undefined;
}

/** An address that has been checked. */
export interface ParsedAddress {
  /** The path for Node's `connect()` and `listen()`. */
  readonly nodePath: string;
  readonly endpoint: PathEndpoint;
  /** The address for messages. An abstract name is written `@name`, as by the system's tools. */
  readonly target: string;
  /** Whether the socket has a file: not for an abstract name or a Windows pipe. */
  readonly hasFile: boolean;
}

/** The endpoint of a socket that is not bound to an address, such as a client's. */
export const UNNAMED: PathEndpoint = { path: '' };

const hasAbstractNames = () => ['linux', 'android'].includes(process.platform);

/** The most bytes a path may have: the size of `sun_path` in `struct sockaddr_un`, minus the final NUL. */
export const longestPath = () => (hasAbstractNames() ? 107 : 103);

/** Checks an address. Throws a TypeError or, if it is too long, a RangeError. */
export function parseAddress({ path, abstract }: UnixAddress): ParsedAddress {
  if ((path === undefined) === (abstract === undefined)) throw new TypeError('Pass either path or abstract');
  const option = path === undefined ? 'abstract' : 'path';
  const input: unknown = path === undefined ? abstract : path;
  if (typeof input !== 'string' || input === '') throw typeError(option, 'a string that is not empty', input);
  if (path && process.platform === 'win32') return { nodePath: path, endpoint: { path }, target: path, hasFile: false };
  // An abstract name as Node takes it, with a leading NUL.
  const isRawAbstract = path?.startsWith('\0') ?? false;
  const name = isRawAbstract ? input.replace(/^\0|\0+$/g, '') : input;
  if (name.includes('\0') && !isRawAbstract) throw typeError(option, 'a string without NUL characters', input);
  checkLength(option, input, longestPath() + Number(isRawAbstract));
  if (path && !isRawAbstract) return { nodePath: path, endpoint: { path }, target: path, hasFile: true };
  if (!hasAbstractNames()) throw new TypeError('Abstract names exist on Linux only: pass a path');
  const padded = `\0${name}${'\0'.repeat(107 - Buffer.byteLength(name))}`;
  return { nodePath: path ?? padded, endpoint: { path: path ?? `\0${name}` }, target: `@${name}`, hasFile: false };
}

/** Throws a RangeError if `name` has more than `limit` bytes: Node or the system would cut it silently. */
export function checkLength(what: string, name: string, limit: number): void {
  const length = Buffer.byteLength(name);
  if (length > limit) throw new RangeError(`${what} must have at most ${limit} bytes, not ${length}: ${inspect(name)}`);
}
