// Where a UNIX socket is: the ways to name it, and what the system takes.
import { inspect } from 'node:util';
import type { PathEndpoint } from '@rxsock/core';

/** A UNIX socket by its path, or a Windows pipe by its name. */
export interface PathAddress {
  /**
   * A path of at most 107 bytes on Linux and 103 elsewhere; a relative one starts at the working directory.
   *
   * Two kinds go to Node as they are: on Windows the name of a pipe (`\\.\pipe\…`, `\\?\pipe\…`), and on Linux an abstract
   * name behind a NUL. Node 20 fills the latter up with NULs, newer ones do not: `abstract` is the same everywhere.
   */
  readonly path: string;
  readonly abstract?: never;
}

/** A UNIX socket by its abstract name. */
export interface AbstractAddress {
  /**
   * A name that is in no file system, of at most 107 bytes; Linux only. Whoever is in the same network namespace may
   * connect. It goes with the socket.
   *
   * The system sees it filled up with NULs to 108 bytes, whatever the version of Node: what a C program binds with
   * `sizeof(struct sockaddr_un)`, and socat with `unix-tightsocklen=0`.
   */
  readonly abstract: string;
  readonly path?: never;
}

/** Where a UNIX socket is. */
export type UnixAddress = PathAddress | AbstractAddress;

/** A socket that this process has inherited, to listen on. */
export interface InheritedAddress {
  /**
   * The descriptor of a UNIX socket that listens: see `inheritedListeners` and `handOver` of `@rxsock/core`. From now on it is
   * the server's, which closes it. Not on Windows.
   */
  readonly fd: number;
  /**
   * Its file, which this server takes away in the end: for a socket that an older instance of the program has handed over.
   * A socket must be there; that it is this one nobody can check.
   * @defaultValue none: it is somebody else's to take away, systemd's
   */
  readonly path?: string;
  readonly abstract?: never;
}

/** An address that has been checked. */
export interface Place {
  /** What Node takes. */
  readonly name: string;
  readonly endpoint: PathEndpoint;
  /** For messages: an abstract name as the system's tools write it. */
  readonly target: string;
  readonly isFile: boolean;
}

const hasAbstractNames = () => ['linux', 'android'].includes(process.platform);

/** The most bytes of a path: what `struct sockaddr_un` takes, less the last NUL. */
export const longestPath = () => (hasAbstractNames() ? 107 : 103);

/** Checks an address. */
export function placeOf({ path, abstract }: UnixAddress): Place {
  if ((path === undefined) === (abstract === undefined)) throw new TypeError('Pass one of path and abstract');
  const what = path === undefined ? 'abstract' : 'path';
  const given: unknown = path ?? abstract;
  if (typeof given !== 'string' || given === '') {
    throw new TypeError(`${what} must be a string that is not empty, not ${inspect(given)}`);
  }
  if (path && process.platform === 'win32') return { name: path, endpoint: { path }, target: path, isFile: false };
  const raw = path?.startsWith('\0') ?? false;
  const bare = raw ? given.replace(/^\0|\0+$/g, '') : given;
  if (bare.includes('\0') && !raw) throw new TypeError(`${what} must not hold a NUL: ${inspect(given)}`);
  checkLength(what, given, longestPath() + Number(raw));
  if (path && !raw) return { name: path, endpoint: { path }, target: path, isFile: true };
  if (!hasAbstractNames()) throw new TypeError('Abstract names are on Linux only: pass a path');
  const name = path ?? `\0${bare}${'\0'.repeat(107 - Buffer.byteLength(bare))}`;
  return { name, endpoint: { path: path ?? `\0${bare}` }, target: `@${bare}`, isFile: false };
}

/** Throws a `RangeError` if `name` has more than `limit` bytes: the system, or Node, would cut it off without a word. */
export function checkLength(what: string, name: string, limit: number): void {
  const length = Buffer.byteLength(name);
  if (length > limit) throw new RangeError(`${what} must have at most ${limit} bytes, not ${length}: ${inspect(name)}`);
}
