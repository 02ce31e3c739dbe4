// singleInstance(): at most one instance of a program. The one that listens on an address is the first.

import net from 'node:net';
import { asyncScheduler, Observable, type SchedulerLike } from 'rxjs';
import { ContextSubscriber } from '../base/async-context.js';
import { checkOptions, checkPort, checkScheduler, checkString, checkTimeout, typeError } from '../base/check.js';
import { connect } from '../connect.js';
import { serverOver } from '../listen.js';
import type { ServerEvent } from '../server/events.js';
import { Server } from '../server/server.js';
import type { Socket } from '../socket.js';
import { InstanceAttempt, type InstanceConfig } from './instance-attempt.js';
import type { InstanceEvent } from './instance-events.js';

/** The options of {@link singleInstance} that do not depend on the transport. */
export interface InstanceOptions {
  /** The name of the program. It tells the program from others that may use the same port. */
  readonly name: string;
  /** The arguments that a later instance delivers to the first one. @defaultValue `process.argv.slice(2)` */
  readonly args?: readonly string[] | undefined;
  /**
   * How long a later instance tries to deliver its arguments, and how long the first instance waits for them, in
   * milliseconds. 0 and Infinity mean no limit.
   * @defaultValue 5,000
   */
  readonly timeout?: number | undefined;
  /** The scheduler of all timers, so that tests can use virtual time. @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Options of {@link singleInstance}: a port on the loopback interface, or any other transport given as two functions.
 */
export type SingleInstanceOptions = InstanceOptions &
  (
    | {
        /**
         * The port on 127.0.0.1, from 1 to 65535. Choose one below the range that the system uses for outgoing
         * connections, which begins at 32768 on Linux and at 49152 elsewhere.
         */
        readonly port: number;
        readonly listen?: undefined;
        readonly connect?: undefined;
      }
    | {
        /** Creates the server. It must fail with `EADDRINUSE` if another process listens on the address. */
        readonly listen: () => Observable<ServerEvent>;
        /** Creates a socket that connects to the address of `listen`. */
        readonly connect: () => Socket;
        readonly port?: undefined;
      }
  );

/**
 * Lets only one instance of a program run. Each subscription is one attempt to become the first instance:
 *
 * - The first instance gets `acquired`, and then a `launch` event with the arguments of each later instance.
 * - A later instance delivers its arguments to the first one and fails with {@link AlreadyRunningError}. The property
 *   `delivered` of the error says whether the first instance has received them.
 *
 * Of several attempts at the same moment, exactly one succeeds. No stale lock can remain, because the system frees the
 * port however the process ends. The first instance stays first, and its process stays alive, until you unsubscribe or
 * call `release()`. A later instance that is delivering its arguments at that moment tries again, and may become the
 * first. `retry({ delay: 1000 })` waits until the first instance ends.
 *
 * Every program of every user on the machine can connect to the port: treat `args` as untrusted input. Only one user
 * can use a UNIX socket: `listen: () => unix.listen({ path, removeStale: true })`,
 * `connect: () => unix.connect({ path })`. The arguments may have up to 1 MiB as JSON.
 *
 * **Backpressure**: none. Each launch is one event.
 *
 * @returns Emits `acquired` once and `launch` events, and completes after `release()`.
 * @throws At the call: TypeError or RangeError for an option with an invalid value.
 * @throws As a notification: {@link AlreadyRunningError} (`ERR_ALREADY_RUNNING`) if another instance is the first;
 * {@link ForeignListenerError} (`ERR_FOREIGN_LISTENER`) if another program uses the address, or does not answer within
 * `timeout`: it receives nothing; {@link SocketError} with Node's code if listening fails for another reason than
 * `EADDRINUSE`; an error that your `listen` or `connect` throws.
 *
 * @example
 * ```ts
 * import { AlreadyRunningError, singleInstance } from '@rxsock/core/process';
 *
 * singleInstance({ name: 'editor', port: 27_123 }).subscribe({
 *   next: (event) => {
 *     if (event.type === 'acquired') console.log('open the window');
 *     else console.log('open these files', event.args, event.cwd);
 *   },
 *   error: (error) => {
 *     if (!(error instanceof AlreadyRunningError)) throw error;
 *     console.log(error.delivered ? 'opened in the first instance' : error.message);
 *   },
 * });
 * ```
 */
export function singleInstance(options: SingleInstanceOptions): Observable<InstanceEvent> {
  checkOptions(options, "{ name: 'editor', port: 27123 }");
  const { name, args = process.argv.slice(2), timeout = 5_000, scheduler = asyncScheduler } = options;
  checkString('name', name, 'the name of the program');
  if (!Array.isArray(args) || args.some((each) => typeof each !== 'string'))
    throw typeError('args', 'an array of strings, as in process.argv', args);
  checkTimeout('timeout', timeout);
  checkScheduler('scheduler', scheduler);
  const config = { name, args: [...args], timeout, scheduler, ...transportOf(options, timeout, scheduler) };
  return new Observable((subscriber) => new InstanceAttempt(config, new ContextSubscriber(subscriber)).start());
}

function transportOf(
  options: SingleInstanceOptions,
  timeout: number,
  scheduler: SchedulerLike,
): Pick<InstanceConfig, 'listen' | 'connect' | 'target'> {
  if (options.port === undefined) {
    if (typeof options.listen === 'function' && typeof options.connect === 'function')
      return { listen: options.listen, connect: options.connect, target: 'its address' };
    throw new TypeError(
      'singleInstance() needs a port, or the functions listen and connect: for a path, with @rxsock/unix, ' +
        'listen: () => unix.listen({ path, removeStale: true }) and connect: () => unix.connect({ path })',
    );
  }
  const { port } = options;
  checkPort('port', port, 1);
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
