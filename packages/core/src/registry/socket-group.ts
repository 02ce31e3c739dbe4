// SocketGroup: the sockets whose names match a pattern, written to and read from together.
import { type InspectOptions, inspect } from 'node:util';
import type { Observable, Observer, Subscriber, TeardownLogic } from 'rxjs';
import { bindContext } from '../base/async-context.js';
import { type Chunk, toBytes } from '../base/bytes.js';
import { checkOptions, checkTimeout } from '../base/check.js';
import { broadcast, type CloseOptions, type Registrable } from '../base/registrable.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { Flowable } from '../flow/flowable.js';
import { inspected, plural } from '../observe/inspect.js';
import type { ConnectionErrorEvent } from '../server/events.js';
import type { Socket } from '../socket.js';

/** An event of one socket of a group. */
export interface SocketGroupEvent<S extends Registrable = Socket> {
  readonly socket: S;
  readonly event: EventOf<S> | ConnectionErrorEvent<S>;
}

type EventOf<S extends Registrable> = S extends Observable<infer E> ? E : never;

/** Called when a socket gets its first name or another name. */
export type NameListener<S> = (socket: S, name: string) => void;

/** The part of a registry that its groups use. */
export interface RegistryView<S> {
  entries(): Iterable<[name: string, socket: S]>;
  /** Calls the listener until the returned function is called. */
  onNamed(listener: NameListener<S>): () => void;
}

/**
 * The sockets of a {@link SocketRegistry} whose names match a pattern at this moment. Created by `match()` of the
 * registry. A group is iterable, an Observable of the events of all its sockets, and an Observer that writes to all of
 * them.
 *
 * A subscription reads, as it does for one socket: it subscribes to each socket of the group, which dials the idle
 * ones, and to each socket that joins later. It leaves a socket that is renamed and no longer matches. Unsubscribing
 * leaves all sockets.
 *
 * A group never completes and never fails: when one of its sockets fails, the group emits that socket's `close` event
 * and then a `connectionError`.
 *
 * **Half-close**: the FIN of a peer is the `end` event of its socket. `complete()` sends FIN on all sockets; reading
 * continues.
 *
 * **Backpressure**: `hold()`, or a consumer that is behind, holds every socket that the group reads. For writing see
 * `next()`.
 *
 * @example
 * ```ts
 * import { SocketRegistry } from '@rxsock/core/registry';
 *
 * const sockets = new SocketRegistry();
 * const web = sockets.match('www*');
 * web.subscribe(({ socket, event }) => {
 *   if (event.type === 'data') console.log(socket.name, event.data.toString());
 *   if (event.type === 'connectionError') console.error(socket.name, event.error);
 * });
 * // Waits for the slowest socket:
 * await Promise.allSettled([...web].map((socket) => socket.write('hello\n')));
 * await web.close();
 * ```
 */
export class SocketGroup<S extends Registrable = Socket>
  extends Flowable<SocketGroupEvent<S>>
  implements Observer<Chunk>, Iterable<S>
{
  readonly #registry: RegistryView<S>;
  readonly #matches: (name: string) => boolean;

  /** @internal */
  constructor(registry: RegistryView<S>, matches: (name: string) => boolean) {
    // A socket joins this set when the group subscribes to it, and leaves it with that subscription.
    const flows = new FlowSet();
    super((subscriber) => this.#read(subscriber, flows), flows);
    this.#registry = registry;
    this.#matches = matches;
  }

  /** Iterates over the sockets that are in the group now, in the order in which they got their names. */
  *[Symbol.iterator](): IterableIterator<S> {
    for (const [name, socket] of this.#registry.entries()) if (this.#matches(name)) yield socket;
  }

  /** @internal One line for logs. A depth that is asked for, as `{ depth: 1 }`, adds the properties. */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    return inspected('SocketGroup', this, depth, options, () => ({
      facts: [plural(this.#sockets().length, 'socket')],
      more: () => this.#sockets(),
    }));
  }

  /**
   * Writes the same bytes to all sockets. It skips sockets whose write side is closed, servers, and datagram sockets
   * without a peer.
   *
   * **Backpressure**: a slow socket does not delay the others. Its bytes are queued in that socket; if they exceed its
   * `maxWriteBuffer`, that socket fails and the others continue.
   *
   * @param chunk Bytes, or a string that is written as UTF-8.
   * @returns `false` if at least one socket is at or over its `highWaterMark`. That socket emits `drain` when its bytes
   * have been handed to the kernel.
   * @throws At the call: TypeError if the chunk is neither a string nor a Uint8Array; nothing is written.
   */
  next(chunk: Chunk): boolean {
    const bytes = toBytes(chunk);
    // Not every(): it would stop at the first full socket.
    const full = this.#sockets().filter((socket) => socket[broadcast]?.(bytes) === false);
    return full.length === 0;
  }

  /** Half-closes all sockets: see `complete()` of a socket. Does nothing to servers. */
  complete(): void {
    for (const socket of this.#sockets()) socket.complete?.();
  }

  /**
   * Aborts all sockets: see `error()` of a socket. Servers close and abort their connections.
   *
   * @param reason The `cause` of the {@link AbortedError} that the subscribers of each socket receive.
   */
  error(reason?: unknown): void {
    for (const socket of this.#sockets()) {
      if (socket.error) socket.error(reason);
      else void socket.close({ drain: 0 });
    }
  }

  /**
   * Closes gracefully all sockets that are in the group now. Sockets that join later stay open.
   *
   * @param options.timeout How long each socket may take, in milliseconds: see `close()` of a socket.
   * @param options.drain How long the connections of each server may continue, in milliseconds: see `close()` of a
   * server.
   * @returns Resolves when all are closed, to what their `close()` resolves to, in the order of the group. Never
   * rejects.
   * @throws At the call: TypeError or RangeError for a time limit that is not a number of milliseconds, 0 or more.
   */
  close(options: CloseOptions = {}): Promise<Awaited<ReturnType<S['close']>>[]> {
    checkOptions(options, '{ timeout: 1000 }');
    const { timeout = 0, drain = 0 } = options;
    checkTimeout('timeout', timeout);
    checkTimeout('drain', drain);
    return Promise.all(this.#sockets().map((socket) => socket.close(options) as ReturnType<S['close']>));
  }

  /** Sets the `mark` of all sockets that are in the group now. */
  mark(value: unknown): void {
    for (const socket of this.#sockets()) socket.mark = value;
  }

  // A copy, because a change to one socket may change who is in the group.
  #sockets(): S[] {
    return [...this];
  }

  #read(subscriber: Subscriber<SocketGroupEvent<S>>, flows: FlowSet): TeardownLogic {
    const readers: Readers<S> = new Map();
    // Bound, because add() is called in the context of the code that adds a socket.
    const onNamed = bindContext((socket: S, name: string) => {
      if (this.#matches(name) === readers.has(socket)) return;
      if (readers.has(socket)) readers.get(socket)?.unsubscribe();
      else socket.subscribe(createReader(socket, subscriber, flows, readers));
    });
    const stopListening = this.#registry.onNamed(onNamed);
    // The subscriber may leave at the first event: then the other sockets are not dialled. It may also change the names.
    for (const [name, socket] of this.#registry.entries()) if (!subscriber.closed) onNamed(socket, name);
    return stopListening;
  }
}

/** The subscriber of each socket that a group reads. */
type Readers<S> = Map<S, Subscriber<unknown>>;

/**
 * Creates the subscriber that passes the events of one socket to a subscriber of the group. It stays in `readers` until
 * it is closed: by the socket, by the group's subscriber, or by a new name that does not match.
 */
function createReader<S extends Registrable>(
  socket: S,
  subscriber: Subscriber<SocketGroupEvent<S>>,
  flows: FlowSet,
  readers: Readers<S>,
): Subscriber<unknown> {
  const emit = (event: SocketGroupEvent<S>['event']) => subscriber.next({ socket, event });
  const error = (error: unknown) => emit({ type: 'connectionError', socket, error });
  const reader = new FlowSubscriber<unknown>(
    subscriber,
    { next: (event) => emit(event as EventOf<S>), error, complete: () => {} },
    flows,
  );
  readers.set(socket, reader);
  reader.add(() => readers.delete(socket));
  return reader;
}
