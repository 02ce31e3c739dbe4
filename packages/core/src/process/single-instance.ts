// singleInstance(): one instance of a program, and no more, by a socket that listens.
import net from 'node:net';
import { inspect } from 'node:util';
import { asyncScheduler, Observable, type SchedulerLike } from 'rxjs';
import type { ServerEvent } from '../base/events.js';
import { connect } from '../connect.js';
import { checkLimit } from '../engine/limits.js';
import { serverOver } from '../listen.js';
import { Server } from '../server/server.js';
import type { Socket } from '../socket.js';
import { Contender, type ContenderRules } from './contender.js';
import type { InstanceEvent } from './instance-events.js';

/** What every instance says. */
export interface InstanceOptions {
  /** The program, told apart from others that may have the same port. */
  readonly name: string;
  /** What a later instance hands to the first one. @defaultValue `process.argv.slice(2)` */
  readonly args?: readonly string[];
  /**
   * How long a later instance tries to hand its arguments over, and how long the first one waits for them, in milliseconds;
   * 0 = for ever.
   * @defaultValue 5,000
   */
  readonly timeout?: number;
  /** Where all turns and timers go, so that virtual time works. @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/** Options of {@link singleInstance}: a port of the loopback interface, or any other transport by its two functions. */
export type SingleInstanceOptions = InstanceOptions &
  (
    | {
        /** On 127.0.0.1. Below those that systems give to clients: 32,768 on Linux, 49,152 elsewhere. */
        readonly port: number;
        readonly listen?: undefined;
        readonly connect?: undefined;
      }
    | {
        /** Makes the server; it must fail with `EADDRINUSE` where another one has the address. */
        readonly listen: () => Observable<ServerEvent>;
        /** Makes a socket to where `listen` listens. */
        readonly connect: () => Socket;
        readonly port?: undefined;
      }
  );

/**
 * Makes this the only instance of its program. Each subscription tries: the first instance gets `acquired`, and `launch` with
 * the arguments of every later one; a later one hands its arguments over and fails with {@link AlreadyRunningError}, whose
 * `delivered` says that the first one has them. Of those that try at the same moment exactly one is the first.
 *
 * The system frees a port however a program ends, so there is no lock left behind. To unsubscribe, or `release()`, lets
 * another instance be the first; who is in the middle of handing over then tries again. While it is held it keeps the process
 * alive. `retry({ delay: 1000 })` waits until the first one has gone.
 *
 * Any program on the machine, of any user, can connect to a port: take `args` for what a stranger says. A socket on a path is
 * for one user alone: `listen: () => unix.listen({ path, removeStale: true })`, `connect: () => unix.connect({ path })`. A
 * message is at most 1 MiB. Backpressure: none, each launch is one event.
 *
 * @throws TypeError or RangeError at the call, for options that mean nothing. As notifications: {@link AlreadyRunningError};
 * {@link ForeignListenerError} where another program has the address, or nobody there answers within `timeout` (it is told
 * nothing); {@link SocketError} with Node's code where this one may not listen.
 *
 * @example
 * ```ts
 * import { AlreadyRunningError, singleInstance } from '@rxsock/core';
 *
 * singleInstance({ name: 'editor', port: 27_123 }).subscribe({
 *   next: (event) => {
 *     if (event.type === 'acquired') console.log('open the window');
 *     else console.log('open these in it', event.args, event.cwd);
 *   },
 *   error: (error) => {
 *     if (!(error instanceof AlreadyRunningError)) throw error;
 *     console.log(error.delivered ? 'opened there' : error.message);
 *   },
 * });
 * ```
 */
export function singleInstance(options: SingleInstanceOptions): Observable<InstanceEvent> {
  const { name, args = process.argv.slice(2), timeout = 5_000, scheduler = asyncScheduler } = options;
  if (typeof name !== 'string' || name === '')
    throw new TypeError(`name must be that of the program, not ${inspect(name)}`);
  if (!Array.isArray(args) || args.some((each) => typeof each !== 'string'))
    throw new TypeError(`args must be strings, as in process.argv, not ${inspect(args)}`);
  checkLimit('timeout', timeout);
  const rules = { name, args: [...args], timeout, scheduler, ...transportOf(options, timeout, scheduler) };
  return new Observable((subscriber) => new Contender(rules, subscriber).start());
}

function transportOf(
  options: SingleInstanceOptions,
  timeout: number,
  scheduler: SchedulerLike,
): Pick<ContenderRules, 'listen' | 'connect' | 'target'> {
  if (options.port === undefined) {
    if (typeof options.listen === 'function' && typeof options.connect === 'function')
      return { listen: options.listen, connect: options.connect, target: 'its address' };
    throw new TypeError(
      'singleInstance needs a port, or the two functions listen and connect: for a path, ' +
        'listen: () => unix.listen({ path, removeStale: true }) and connect: () => unix.connect({ path }) of @rxsock/unix',
    );
  }
  const { port } = options;
  if (!(Number.isInteger(port) && port >= 1 && port <= 65_535))
    throw new RangeError(`port must be a whole number from 1 to 65535, not ${inspect(port)}`);
  const host = '127.0.0.1';
  const over = {
    type: 'tcp',
    acceptEvent: 'connection',
    exclusive: true,
    create: (streams: net.ServerOpts) => net.createServer(streams),
  } as const;
  return {
    listen: () => new Server(...serverOver({ host, port, maxConnections: 100, scheduler }, over)),
    connect: () => connect({ host, port, connectTimeout: timeout, scheduler }),
    target: `${host}:${port}`,
  };
}
