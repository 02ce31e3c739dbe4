// handOver(): a new process takes a server's place, and no connection is refused meanwhile.
import { type ChildProcess, spawn } from 'node:child_process';
import { inspect } from 'node:util';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { SocketTimeoutError } from '../base/errors.js';
import { checkLimit } from '../engine/limits.js';
import { Server, surrender } from '../server/server.js';
import { HandOverError } from './errors.js';

/** Options of {@link handOver}. */
export interface HandOverOptions {
  /** How long the successor may take until it is ready, in milliseconds; 0 = for ever. @defaultValue 30,000 */
  readonly readyTimeout?: number;
  /** How long the connections that are open may go on, in milliseconds: see `server.close()`. @defaultValue 10,000 */
  readonly drain?: number;
  /** The successor's variables, to which those that tell of the descriptors are added. @defaultValue `process.env` */
  readonly env?: NodeJS.ProcessEnv;
  /** The successor's working directory. @defaultValue this process's */
  readonly cwd?: string;
  /** Where the timer goes, so that virtual time works. @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/** What {@link handOver} hands over: one server, or several by the names that the successor knows them by. */
export type HandOverServers = Server | Readonly<Record<string, Server>>;

/**
 * Starts a successor that listens on the same sockets, waits until it is ready, and closes the servers here: they let their
 * connections finish. At no moment does nobody listen, so none is refused.
 *
 * The successor finds the descriptors with {@link inheritedListeners}, as if systemd had started it. When it listens it says so
 * with `process.send('ready')`; Node has made the channel for that. It has this process's standard output and error, and lives
 * on when this one exits. If it does not become ready it is killed, and the servers here go on as if nothing had been. (Where
 * systemd holds the sockets all this is not needed: they stay open while it restarts the service.)
 *
 * TCP, TLS and UNIX sockets, not on Windows: see {@link Server.fd}. Each connection stays with the process that has accepted it;
 * what else the old process knows, the new one does not. The file of a UNIX socket stays where it is: the successor takes care
 * of it from then on if it listens with its `path` too, `listen({ fd, path })`, and else nobody does.
 *
 * @param command The program and its arguments, as `spawn` takes them: no shell reads them.
 * @returns Resolves to the successor when the servers here are closed.
 * @throws RangeError or TypeError at the call for a limit or a name that means nothing, `ERR_HANDOVER_NO_DESCRIPTOR`
 * ({@link HandOverError}) where there is nothing to inherit. As a rejection: `ERR_HANDOVER_FAILED` where the successor ends or
 * cannot be started, {@link SocketTimeoutError} for `readyTimeout`.
 *
 * @example
 * ```ts
 * import { data, handOver, inheritedListeners, listen, serve } from '@rxsock/core';
 *
 * const [inherited] = inheritedListeners();
 * const server = listen(inherited ? { fd: inherited.fd } : { port: 7000 });
 * server.pipe(serve((socket) => socket.pipe(data()))).subscribe(({ type }) => {
 *   if (type === 'listening') process.send?.('ready');
 * });
 *
 * process.on('SIGHUP', () => {
 *   handOver(server, process.execPath, process.argv.slice(1)).catch(console.error); // a failure leaves this one at work
 * });
 * ```
 */
export function handOver(
  servers: HandOverServers,
  command: string,
  args: readonly string[] = [],
  options: HandOverOptions = {},
): Promise<ChildProcess> {
  const { readyTimeout = 30_000, drain = 10_000, env = process.env, cwd, scheduler = asyncScheduler } = options;
  checkLimit('readyTimeout', readyTimeout);
  checkLimit('drain', drain);
  const named = byName(servers);
  const inherits = Object.entries(named).map(([name, server]) => descriptorOf(name, server));
  if (inherits.length === 0) throw new TypeError('There must be at least one server to hand over');
  // The number of a process is known when it runs, and not before: so a shell tells it, and becomes the successor.
  const successor = spawn('/bin/sh', ['-c', 'LISTEN_PID=$$; export LISTEN_PID; exec "$0" "$@"', command, ...args], {
    env: { ...env, LISTEN_FDS: String(inherits.length), LISTEN_FDNAMES: Object.keys(named).join(':') },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'inherit', 'inherit', ...inherits, 'ipc'],
  });
  return ready(successor, command, readyTimeout, scheduler).then(async () => {
    if (successor.connected) successor.disconnect();
    successor.unref();
    const closing = Object.values(named).map((server) => {
      surrender(server);
      return server.close({ drain });
    });
    await Promise.all(closing);
    return successor;
  });
}

function byName(servers: HandOverServers): Readonly<Record<string, Server>> {
  if (servers instanceof Server) return { unknown: servers };
  const isMap = typeof servers === 'object' && servers !== null && !Array.isArray(servers);
  if (isMap && Object.values(servers).every((server) => server instanceof Server)) return servers;
  const wanted = 'handOver takes a server that listens, or several by their names, { http: server }';
  throw new TypeError(`${wanted}, not ${inspect(servers, { depth: 0 })}`);
}

function descriptorOf(name: string, { fd }: Server): number {
  // As systemd has it: they are told in one variable, with colons in between.
  if (!/^[^:\p{Cc}]{1,255}$/u.test(name))
    throw new TypeError(`A server's name must be without colons and control characters, not ${JSON.stringify(name)}`);
  if (fd !== undefined) return fd;
  const why = 'it must listen now; there are none to inherit on Windows and in cluster workers';
  const message = `The server ${JSON.stringify(name)} has no descriptor: ${why}`;
  throw new HandOverError(message, { code: 'ERR_HANDOVER_NO_DESCRIPTOR' });
}

// Resolves when it has said that it is ready. If it does not, it is gone by the time that this rejects.
function ready(successor: ChildProcess, command: string, timeout: number, scheduler: SchedulerLike): Promise<void> {
  return new Promise((resolve, reject) => {
    let late: SocketTimeoutError | undefined;
    const failed = (how: string, cause?: unknown) => {
      settle();
      const message = `The successor ${command} ${how} before it was ready: it says so by process.send('ready')`;
      reject(late ?? new HandOverError(message, { code: 'ERR_HANDOVER_FAILED', cause }));
    };
    const said = (message: unknown) => {
      if (message !== 'ready' || late) return;
      settle();
      resolve();
    };
    const exited = (code: number | null, signal: string | null) =>
      failed(code === null ? `was ended by ${signal}` : `exited with code ${code}`);
    const failedToStart = (cause: Error) => failed(`could not be started: ${cause.message},`, cause);
    const deadline = new Deadline(scheduler, timeout, () => {
      const message = `The successor ${command} was not ready within ${timeout} ms, the readyTimeout, and was killed`;
      late = new SocketTimeoutError(message, { phase: 'open', timeout: 'readyTimeout', milliseconds: timeout });
      successor.kill('SIGKILL');
    });
    const settle = () => {
      deadline.stop();
      successor.off('message', said).off('exit', exited).off('error', failedToStart);
    };
    successor.on('message', said).on('exit', exited).on('error', failedToStart);
    deadline.start();
  });
}
