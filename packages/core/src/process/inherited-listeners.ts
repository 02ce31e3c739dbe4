// inheritedListeners(): the descriptors that systemd, or another instance of the program, has left open for this process.
import { fstatSync } from 'node:fs';
import { InheritedListenersError } from './errors.js';

/** A descriptor to listen on: see {@link inheritedListeners}. */
export interface InheritedListener {
  /** For `listen({ fd })`. */
  readonly fd: number;
  /** As the unit calls it (`FileDescriptorName=`); `'unknown'` where it has no name. */
  readonly name: string;
}

/** Options of {@link inheritedListeners}. */
export interface InheritedListenersOptions {
  /**
   * The names of those that there must be, where there are any: these and no others, and they come in this order.
   * @defaultValue those that there are
   */
  readonly names?: readonly string[];
  /** Where the variables are; they stay as they are. @defaultValue `process.env` */
  readonly env?: Readonly<NodeJS.ProcessEnv>;
}

/** As `sd_listen_fds` has it: behind standard input, output and error. */
export const FIRST_DESCRIPTOR = 3;

/**
 * The descriptors that this process has inherited to listen on: by systemd's socket activation, or by {@link handOver}. There
 * are none if nobody has left it any, so that a program can then listen by itself; nor does it take those that were meant for
 * another process, its parent (`LISTEN_PID`).
 *
 * It only looks: each can be asked for as often as one likes, and be listened on once. Never any on Windows.
 *
 * @throws InheritedListenersError at the call: `ERR_LISTEN_FDS_INVALID` where `LISTEN_FDS`, `LISTEN_FDNAMES` and the descriptors
 * that are open do not fit one another, `ERR_LISTEN_FDS_MISSING` where those that there are do not have the `names`.
 * @see https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
 *
 * @example
 * ```ts
 * import { data, inheritedListeners, listen, serve } from '@rxsock/core';
 *
 * const [inherited] = inheritedListeners();
 * const server = listen(inherited ? { fd: inherited.fd } : { port: 7000 });
 * server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
 * ```
 */
export function inheritedListeners(options: InheritedListenersOptions = {}): InheritedListener[] {
  const { names: wanted, env = process.env } = options;
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: listed } = env;
  if (pid === undefined || count === undefined || Number(pid) !== process.pid) return [];
  if (!/^\d{1,5}$/.test(count)) throw invalid(`LISTEN_FDS must be a whole number from 0 up, not ${count}`);
  if (Number(count) === 0) return [];
  const names = listed?.split(':') ?? new Array<string>(Number(count)).fill('unknown');
  if (names.length !== Number(count))
    throw invalid(`LISTEN_FDS says ${count}, and LISTEN_FDNAMES has ${names.length} names: ${listed}`);
  const found = names.map((name, index) => ({ fd: FIRST_DESCRIPTOR + index, name }));
  for (const { fd } of found) {
    if (!isSocket(fd)) throw invalid(`LISTEN_FDS says ${count}, but descriptor ${fd} is not an open socket`);
  }
  return wanted ? inOrder(found, wanted) : found;
}

function inOrder(found: InheritedListener[], wanted: readonly string[]): InheritedListener[] {
  const left = [...found];
  const chosen = wanted.map((name) => {
    const index = left.findIndex((each) => each.name === name);
    return index < 0 ? undefined : left.splice(index, 1)[0];
  });
  const taken = chosen.filter((each) => each !== undefined);
  if (left.length === 0 && taken.length === wanted.length) return taken;
  const message = `Descriptors named ${list(wanted)} are needed, and there are ${list(found.map(({ name }) => name))}`;
  throw new InheritedListenersError(message, { code: 'ERR_LISTEN_FDS_MISSING' });
}

const list = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(', ') || 'none';

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

function invalid(message: string): InheritedListenersError {
  return new InheritedListenersError(message, { code: 'ERR_LISTEN_FDS_INVALID' });
}
