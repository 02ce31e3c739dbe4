// handOver(): restarts a server in a new process without refusing a connection.

import { type ChildProcess, spawn } from 'node:child_process';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { checkObject, checkOptions, checkScheduler, checkString, checkTimeout, typeError } from '../base/check.js';
import { checkCopy } from '../base/copy.js';
import { Server, surrender } from '../server/server.js';
import { HandOverError } from './errors.js';
import { waitUntilReady } from './successor.js';

/** Options of {@link handOver}. */
export interface HandOverOptions {
  /**
   * How long the successor may take to send `'ready'` before it is killed, in milliseconds. 0 and Infinity mean no
   * limit.
   * @defaultValue 30,000
   */
  readonly readyTimeout?: number | undefined;
  /**
   * How long the open connections of this process may continue before they are aborted, in milliseconds. 0 aborts them
   * at once, Infinity never. See `server.close()`.
   * @defaultValue 10,000
   */
  readonly drain?: number | undefined;
  /**
   * The environment variables of the successor. `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` are added. The shell
   * that starts it may leave out names with other characters than letters, digits and `_`.
   * @defaultValue `process.env`
   */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** The working directory of the successor. @defaultValue the working directory of this process */
  readonly cwd?: string | undefined;
  /** The scheduler of the `readyTimeout` timer, so that tests can use virtual time. @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike | undefined;
}

/** The servers for {@link handOver}: one server, or several by name. The successor finds them by the same names. */
export type HandOverServers = Server | Readonly<Record<string, Server>>;

/**
 * Starts a successor process that listens on the same sockets, waits until it is ready, and then closes the servers of
 * this process gracefully. At every moment at least one process listens, so no connection is refused.
 *
 * The successor finds the descriptors with {@link inheritedListeners}, as if systemd had started it. Once it listens,
 * it must call `process.send('ready')`; Node provides the channel. It shares the standard output and error of this
 * process, and keeps running when this process exits. If it is not ready within `readyTimeout` it is killed. If it ends
 * before it is ready, the returned promise rejects and the servers of this process keep running.
 *
 * If systemd opens the sockets, you do not need this function: they stay open while systemd restarts the service.
 *
 * This works for TCP, TLS and UNIX sockets, and not on Windows: see {@link Server.fd}. Each connection stays with the
 * process that accepted it. No other state passes to the successor. The file of a UNIX socket stays in place: a
 * successor that listens with the same path, `listen({ fd, path })`, removes it when it closes; otherwise nothing
 * removes it.
 *
 * @param servers One listening server, or several by name. A single server has the name `'unknown'`. A name has 1 to
 * 255 characters, and no colons or control characters.
 * @param command The program to start. No shell interprets the command or its arguments.
 * @param args The arguments of the program.
 * @returns Resolves to the successor's process when the servers of this process are closed.
 * @throws At the call: TypeError or RangeError for an argument or an option with an invalid value;
 * {@link HandOverError} (`ERR_HANDOVER_NO_DESCRIPTOR`) if a server is not listening, on Windows, and in a worker of a
 * cluster.
 * @throws As a rejection: {@link HandOverError} (`ERR_HANDOVER_FAILED`) if the successor cannot be started or ends
 * before it is ready; {@link SocketTimeoutError} (`ETIMEDOUT`) after `readyTimeout`.
 *
 * @example
 * ```ts
 * import { data, listen, serve } from '@rxsock/core';
 * import { handOver, inheritedListeners } from '@rxsock/core/process';
 *
 * const [inherited] = inheritedListeners();
 * const server = listen(inherited ? { fd: inherited.fd } : { port: 7000 });
 * server.pipe(serve((socket) => socket.pipe(data()))).subscribe(({ type }) => {
 *   if (type === 'listening') process.send?.('ready');
 * });
 *
 * process.on('SIGHUP', () => {
 *   // If this fails, this process keeps serving.
 *   handOver(server, process.execPath, process.argv.slice(1)).catch(console.error);
 * });
 * ```
 */
export function handOver(
  servers: HandOverServers,
  command: string,
  args: readonly string[] = [],
  options: HandOverOptions = {},
): Promise<ChildProcess> {
  checkOptions(options, '{ drain: 5000 }');
  const { readyTimeout = 30_000, drain = 10_000, env = process.env, cwd, scheduler = asyncScheduler } = options;
  checkString('command', command, 'the path or the name of a program');
  if (!Array.isArray(args) || args.some((each) => typeof each !== 'string'))
    throw typeError('args', 'an array of strings', args);
  checkTimeout('readyTimeout', readyTimeout);
  checkTimeout('drain', drain);
  checkObject('env', env);
  if (cwd !== undefined) checkString('cwd', cwd, 'the path of a directory');
  checkScheduler('scheduler', scheduler);
  const serversByName = byName(servers);
  const descriptors = Object.entries(serversByName).map(([name, server]) => descriptorOf(name, server));
  if (descriptors.length === 0) throw new TypeError('handOver() needs at least one server');
  // The process id is known only when the process runs. So the process starts as a shell, which sets LISTEN_PID and
  // then executes the program in the same process.
  const successor = spawn('/bin/sh', ['-c', 'LISTEN_PID=$$; export LISTEN_PID; exec "$0" "$@"', command, ...args], {
    env: { ...env, LISTEN_FDS: String(descriptors.length), LISTEN_FDNAMES: Object.keys(serversByName).join(':') },
    ...(cwd !== undefined && { cwd }),
    stdio: ['ignore', 'inherit', 'inherit', ...descriptors, 'ipc'],
  });
  return waitUntilReady(successor, command, readyTimeout, scheduler).then(async () => {
    if (successor.connected) successor.disconnect();
    successor.unref();
    const closing = Object.values(serversByName).map((server) => {
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
  if (isMap) Object.values(servers).forEach(checkCopy);
  if (isMap && Object.values(servers).every((server) => server instanceof Server)) return servers;
  throw typeError('servers', 'a listening server, or several by name as in { http: server }', servers);
}

function descriptorOf(name: string, { fd }: Server): number {
  // The rules of systemd, which joins all names with colons in one variable.
  if (!/^[^:\p{Cc}]{1,255}$/u.test(name))
    throw typeError('The name of a server', '1 to 255 characters without colons and control characters', name);
  if (fd !== undefined) return fd;
  const reason = 'it must be listening, not on Windows and not in a cluster worker';
  const message = `The server ${JSON.stringify(name)} has no descriptor to hand over: ${reason}`;
  throw new HandOverError(message, { code: 'ERR_HANDOVER_NO_DESCRIPTOR' });
}
