// SocketGroup: sockets whose names match a pattern, written to and read from as one.
import type { Observable, Observer, Subscriber, TeardownLogic } from 'rxjs';
import type { ConnectionErrorEvent } from '../base/events.js';
import { broadcast, type CloseOptions, type Registrable } from '../base/registrable.js';
import { FlowSet } from '../flow/flow.js';
import { Flowable, FlowSubscriber } from '../flow/flowable.js';
import type { Chunk } from '../framing/codec.js';
import { type Socket, toBytes } from '../socket.js';

/** An event of one socket of a group. */
export interface SocketGroupEvent<S extends Registrable = Socket> {
  readonly socket: S;
  readonly event: EventOf<S> | ConnectionErrorEvent<S>;
}

type EventOf<S extends Registrable> = S extends Observable<infer E> ? E : never;

/** What a group sees of its registry. */
export interface Members<S> {
  entries(): Iterable<[string, S]>;
  /** Calls `told` when a socket gets a name, until the returned function is called. */
  follow(told: (socket: S, name: string) => void): () => void;
}

/**
 * The sockets of a {@link SocketRegistry} whose names match a pattern, at any time: iterable, an Observable of their events
 * and an Observer for all of them. Made by `match`.
 *
 * Subscribing reads, as it does for one socket: it subscribes to every socket of the group, which dials those that are
 * idle, and to those that join later. Leaving leaves them all, and so does a socket that is renamed out of the group.
 * It never completes, and no socket ends it: one that fails tells `close` and then a `connectionError`.
 *
 * Half-close: `complete()` sends FIN to all; reading goes on. Backpressure: a consumer that is behind holds all sockets of
 * the group, and so does `hold()`. For writing see `next()`.
 *
 * @example
 * ```ts
 * import { SocketRegistry } from '@rxsock/core';
 *
 * const sockets = new SocketRegistry();
 * const web = sockets.match('www*');
 * web.subscribe(({ socket, event }) => {
 *   if (event.type === 'data') console.log(socket.name, event.data.toString());
 *   if (event.type === 'connectionError') console.error(socket.name, event.error);
 * });
 * // As fast as the slowest of them:
 * await Promise.allSettled([...web].map((socket) => socket.write('hello\n')));
 * await web.close();
 * ```
 */
export class SocketGroup<S extends Registrable = Socket>
  extends Flowable<SocketGroupEvent<S>>
  implements Observer<Chunk>, Iterable<S>
{
  readonly #members: Members<S>;
  readonly #matches: (name: string) => boolean;

  /** @internal */
  constructor(members: Members<S>, matches: (name: string) => boolean) {
    // Each socket joins it when it is subscribed, and leaves it with its subscriber.
    const flows = new FlowSet();
    super((subscriber) => this.#read(subscriber, flows), flows);
    this.#members = members;
    this.#matches = matches;
  }

  /** The sockets that are in the group now, in the order in which they were named. */
  *[Symbol.iterator](): IterableIterator<S> {
    for (const [name, socket] of this.#members.entries()) if (this.#matches(name)) yield socket;
  }

  /**
   * Writes the same bytes to all; those whose write side is closed are passed over, and so are servers, and datagram sockets
   * without a peer. A slow socket does not stop the others: its bytes wait for it, and past its `maxWriteBuffer` it fails,
   * alone.
   * @returns `false` if any of them is at or over its `highWaterMark`: it tells `drain` when it is not any more.
   * @throws TypeError if the chunk is neither a string nor a Uint8Array; nothing is written.
   */
  next(chunk: Chunk): boolean {
    const bytes = toBytes(chunk);
    const clogged = this.#all().filter((socket) => socket[broadcast]?.(bytes) === false);
    return clogged.length === 0;
  }

  /** Half-closes all: see `complete()` of a socket. Servers go on. */
  complete(): void {
    for (const socket of this.#all()) socket.complete?.();
  }

  /** Aborts all: see `error()` of a socket. Servers close, and abort their connections. */
  error(reason?: unknown): void {
    for (const socket of this.#all()) {
      if (socket.error) socket.error(reason);
      else void socket.close({ drain: 0 });
    }
  }

  /**
   * Closes all gracefully, those that are in the group now.
   * @param options.timeout Of sockets, in milliseconds, for each: see `close()` of a socket.
   * @param options.drain Of servers, in milliseconds, for each: see `close()` of a server.
   * @returns How they ended, in their order. Never rejects.
   */
  close(options: CloseOptions = {}): Promise<Awaited<ReturnType<S['close']>>[]> {
    return Promise.all(this.#all().map((socket) => socket.close(options) as ReturnType<S['close']>));
  }

  /** Sets the `mark` of all. */
  mark(value: unknown): void {
    for (const socket of this.#all()) socket.mark = value;
  }

  // What is done to one may change who is in the group.
  #all(): S[] {
    return [...this];
  }

  #read(subscriber: Subscriber<SocketGroupEvent<S>>, flows: FlowSet): TeardownLogic {
    const readers: Readers<S> = new Map();
    const told = (socket: S, name: string) => {
      if (this.#matches(name) === readers.has(socket)) return;
      if (readers.has(socket)) readers.get(socket)?.unsubscribe();
      else socket.subscribe(readerOf(socket, subscriber, flows, readers));
    };
    const leave = this.#members.follow(told);
    for (const [name, socket] of [...this.#members.entries()]) if (!subscriber.closed) told(socket, name);
    return leave;
  }
}

/** Who reads each socket of a group. */
type Readers<S> = Map<S, Subscriber<unknown>>;

/** Tells a group's subscriber what one socket tells; is among `readers` until one of the three leaves. */
function readerOf<S extends Registrable>(
  socket: S,
  subscriber: Subscriber<SocketGroupEvent<S>>,
  flows: FlowSet,
  readers: Readers<S>,
): Subscriber<unknown> {
  const tell = (event: SocketGroupEvent<S>['event']) => subscriber.next({ socket, event });
  const error = (error: unknown) => tell({ type: 'connectionError', socket, error });
  const reader = new FlowSubscriber<unknown>(
    subscriber,
    { next: (event) => tell(event as EventOf<S>), error, complete: () => {} },
    flows,
  );
  readers.set(socket, reader);
  reader.add(() => readers.delete(socket));
  return reader;
}
