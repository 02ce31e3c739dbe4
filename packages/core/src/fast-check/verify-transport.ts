// verifyTransport(): checks the laws of sockets for any transport.
import fc from 'fast-check';
import { firstValueFrom, from, map, type Observable, ReplaySubject, race, take } from 'rxjs';
import {
  checkBoolean,
  checkFiniteSize,
  checkFunction,
  checkInteger,
  checkObject,
  checkOptions,
  checkString,
} from '../base/check.js';
import type { Endpoint } from '../base/endpoint.js';
import { connections } from '../operators/connections.js';
import { on } from '../operators/on.js';
import type { ServerEvent } from '../server/events.js';
import type { Server } from '../server/server.js';
import type { Socket } from '../socket.js';
import { limitShrinking } from './limit-shrinking.js';
import type { ConnectionUnderTest } from './model/connection-under-test.js';
import { farEnd } from './model/far-end.js';
import type { SocketCommand } from './model/steps.js';
import { socketModel } from './socket-model.js';

/** A transport, for {@link verifyTransport}. */
export interface TransportUnderTest {
  /** Returns a new socket that dials the address when it is used. */
  readonly connect: (address: Endpoint) => Socket;
  /**
   * Returns a new server that listens when it is subscribed, or an Observable of the events of one, with its `close()`.
   * It is closed after one connection.
   */
  readonly listen: () => Observable<ServerEvent> & Pick<Server, 'close'>;
  /**
   * Whether the transport can reset a connection. UNIX sockets cannot: there, an abort looks like an end.
   * @defaultValue `true`
   */
  readonly hasResets?: boolean | undefined;
}

/** Options of {@link verifyTransport}. */
export interface VerifyTransportOptions {
  /** How many random stories to try. @defaultValue 100 */
  readonly numRuns?: number | undefined;
  /** The seed of the stories. A failure reports it; pass it to repeat that failure. @defaultValue a random seed */
  readonly seed?: number | undefined;
  /**
   * The path to one story. A failure reports it; pass it together with `seed` to run only the counterexample.
   * @defaultValue all stories
   */
  readonly path?: string | undefined;
}

/**
 * Tries a transport with random stories: readers that come, leave and give bytes back, holds, writes of any size, ends,
 * aborts in every phase, peers that stall, end and reset. Each story runs on a new connection. In half of them the
 * socket that is checked is the dialled one, in half the accepted one. The laws are those of {@link socketModel}.
 *
 * Use it for a transport of your own, or for a wrapper that changes what `connect()` or `listen()` return. Everything
 * takes real time: a story takes about ten milliseconds. `socketModel()` checks time limits too, on virtual time.
 *
 * **Half-close**: checked in both directions.
 *
 * **Backpressure**: checked by holds, by consumers that are stuck and by peers that do not read.
 *
 * @returns Resolves when all stories have passed.
 * @throws At the call: TypeError or RangeError for something that is not a transport or for an invalid option.
 * @throws As a rejection: Error if the transport breaks a law. The message names the law and tells the shortest story
 * that was found: what was done, what was expected and what was received. The seed and the path follow.
 *
 * @example
 * ```ts
 * import { connect, listen } from '@rxsock/core';
 * import { verifyTransport } from '@rxsock/core/fast-check';
 *
 * await verifyTransport({
 *   connect: (address) => connect({ host: '127.0.0.1', port: 'port' in address ? address.port : 0 }),
 *   listen: () => listen(),
 * });
 * ```
 */
export function verifyTransport(transport: TransportUnderTest, options: VerifyTransportOptions = {}): Promise<void> {
  checkObject('transport', transport, '{ connect, listen }');
  checkFunction('transport.connect', transport.connect);
  checkFunction('transport.listen', transport.listen);
  if (transport.hasResets !== undefined) checkBoolean('transport.hasResets', transport.hasResets);
  checkOptions(options, '{ numRuns: 1000 }');
  const { numRuns = 100, seed, path } = options;
  checkFiniteSize('numRuns', numRuns);
  if (seed !== undefined) checkInteger('seed', seed);
  if (path !== undefined) checkString('path', path);
  return verify(transport, { numRuns, ...(seed !== undefined && { seed }), ...(path !== undefined && { path }) });
}

type Story = [role: 'dialled' | 'accepted', commands: SocketCommand[]];

async function verify(transport: TransportUnderTest, parameters: fc.Parameters<unknown>): Promise<void> {
  const models = {
    dialled: socketModel(() => openConnection(transport, 'dialled')),
    accepted: socketModel(() => openConnection(transport, 'accepted')),
  };
  const stories: fc.Arbitrary<Story> = fc.tuple(
    fc.constantFrom('dialled' as const, 'accepted' as const),
    models.dialled.commands,
  );
  const run = limitShrinking(([role, commands]: Story) => models[role].run(commands));
  const property = fc.asyncProperty(stories, run);
  const result = await fc.check(property as fc.IAsyncProperty<unknown>, parameters);
  if (!result.failed) return;
  const { errorInstance } = result;
  const reason = errorInstance instanceof Error ? errorInstance.message : String(errorInstance ?? 'No story was tried');
  const { seed, counterexamplePath } = result;
  const again = `Repeat it with { seed: ${seed}, path: '${counterexamplePath ?? ''}' }`;
  throw new Error(`${reason}\n\n${again}`, { cause: errorInstance });
}

async function openConnection(
  transport: TransportUnderTest,
  role: 'dialled' | 'accepted',
): Promise<ConnectionUnderTest> {
  const server = transport.listen();
  const accepted = new ReplaySubject<Socket>(1);
  const subscription = server.pipe(connections()).subscribe(accepted);
  const address = await firstValueFrom(
    server.pipe(
      on('listening'),
      map((event) => event.address),
    ),
  );
  const dialled = transport.connect(address);
  const socket = firstValueFrom(accepted.pipe(take(1)));
  const { hasResets } = transport;
  const drain = () => void server.close({ drain: 0 });
  const close = async () => {
    dialled.error(new Error('the story is over'));
    await server.close({ drain: 0 });
    subscription.unsubscribe();
  };
  if (role === 'dialled') {
    const far = socket.then(farEnd);
    // If nothing is accepted, the model says so.
    far.catch(() => {});
    return { near: dialled, far, hasResets, close };
  }
  const far = farEnd(dialled);
  return { near: await acceptedBefore(dialled, socket, close), far, drain, hasResets, close };
}

/** Returns the accepted socket, or closes and rejects with what the dial failed with. */
async function acceptedBefore(dialled: Socket, socket: Promise<Socket>, close: () => Promise<void>): Promise<Socket> {
  const ended = dialled.pipe(
    on('close'),
    map((): never => {
      throw new Error('The dialled socket closed before the server accepted it');
    }),
  );
  try {
    return await firstValueFrom(race(from(socket), ended));
  } catch (error) {
    await close();
    throw error;
  }
}
