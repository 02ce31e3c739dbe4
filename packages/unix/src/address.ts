// Where a UNIX socket is: the ways to name it, and what the system takes.
import { inspect } from 'node:util';
import type { PathEndpoint } from '@rxsock/core';

/** A UNIX socket by its path, or by the name of a Windows pipe. */
export interface PathAddress {
  /**
   * A path of the file system, of at most 107 bytes on Linux and 103 elsewhere; a relative one starts at the working
   * directory.
   *
   * Two kinds go to Node as they are: on Windows the name of a pipe (`\\.\pipe\…`, `\\?\pipe\…`), and on Linux an abstract
   * name behind a NUL. The system then sees the latter exactly as long as it is, but filled up with NULs on Node 20:
   * `abstract` is the same everywhere.
   */
  readonly path: string;
  readonly abstract?: never;
}

/** A UNIX socket by its abstract name. */
export interface AbstractAddress {
  /**
   * A name that is in no file system, of at most 107 bytes; Linux only. Whoever is in the same network namespace may
   * connect. It goes with the last socket that has it.
   *
   * The system sees it filled up with NULs to 108 bytes, on every Node: what C programs call `sizeof(struct sockaddr_un)`,
   * and socat `unix-tightsocklen=0`.
   */
  readonly abstract: string;
  readonly path?: never;
}

/** Where a UNIX socket is. */
export type UnixAddress = PathAddress | AbstractAddress;

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

/** The most bytes that a path may have here: `sun_path` less its last NUL. */
export const longestPath = () => (hasAbstractNames() ? 107 : 103);

/** Checks an address. */
export function placeOf(address: UnixAddress): Place {
  const { path, abstract } = address as { readonly path?: unknown; readonly abstract?: unknown };
  if ((path === undefined) === (abstract === undefined)) throw new TypeError('Pass one of path and abstract');
  const [kind, name] = path === undefined ? ['abstract', abstract] : ['path', path];
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`${kind} must be a string that is not empty, not ${inspect(name)}`);
  }
  const pipe = path !== undefined && process.platform === 'win32';
  if (pipe) return { name, endpoint: { path: name }, target: name, isFile: false };
  const raw = path !== undefined && name.startsWith('\0');
  if ((raw || path === undefined) && !hasAbstractNames()) throw new TypeError('Abstract names are on Linux only');
  if (name.includes('\0') && !raw) throw new TypeError(`${kind} must not hold a NUL: ${inspect(name)}`);
  checkLength(raw ? 'An abstract path' : kind, name, longestPath() + (raw ? 1 : 0));
  if (raw)
    return { name, endpoint: { path: name }, target: name.replace('\0', '@').replace(/\0+$/, ''), isFile: false };
  if (path !== undefined) return { name, endpoint: { path: name }, target: name, isFile: true };
  return { name: padded(name), endpoint: { path: `\0${name}` }, target: `@${name}`, isFile: false };
}

/** Throws a `RangeError` if `name` has more than `limit` bytes, which the system would cut off without a word. */
export function checkLength(what: string, name: string, limit: number): void {
  const length = Buffer.byteLength(name);
  if (length <= limit) return;
  throw new RangeError(`${what} must have at most ${limit} bytes, not ${length}: ${inspect(name)}`);
}

const padded = (name: string) => `\0${name}${'\0'.repeat(longestPath() - Buffer.byteLength(name))}`;
