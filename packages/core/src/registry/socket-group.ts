// SocketGroup: sockets whose names match a pattern, written to and read from as one.
import type { Observer, Subscriber, TeardownLogic } from 'rxjs';
import type { CloseReport, ConnectionErrorEvent, SocketEvent } from '../events.js';
import { FlowSet } from '../flow.js';
import { Flowable, FlowSubscriber } from '../flowable.js';
import type { Chunk } from '../framing/codec.js';
import { connectionOf, type Socket, toBytes } from '../socket.js';

/** An event of one socket of a group. */
export interface SocketGroupEvent {
  readonly socket: Socket;
  readonly event: SocketEvent | ConnectionErrorEvent;
}

/** What a group sees of its registry. */
export interface Members {
  entries(): Iterable<[string, Socket]>;
  /** Calls `told` when a socket gets a name, until the returned function is called. */
  follow(told: (socket: Socket, name: string) => void): () => void;
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
export class SocketGroup extends Flowable<SocketGroupEvent> implements Observer<Chunk>, Iterable<Socket> {
  readonly #members: Members;
  readonly #matches: (name: string) => boolean;

  /** @internal */
  constructor(members: Members, matches: (name: string) => boolean) {
    // Each socket joins it when it is subscribed, and leaves it with its subscriber.
    const flows = new FlowSet();
    super((subscriber) => this.#read(subscriber, flows), flows);
    this.#members = members;
    this.#matches = matches;
  }

  /** The sockets that are in the group now, in the order in which they were named. */
  *[Symbol.iterator](): IterableIterator<Socket> {
    for (const [name, socket] of this.#members.entries()) if (this.#matches(name)) yield socket;
  }

  /**
   * Writes the same bytes to all; those whose write side is closed are passed over. A slow socket does not stop the others:
   * its bytes wait for it, and past its `maxWriteBuffer` it fails, alone.
   * @returns `false` if any of them is at or over its `highWaterMark`: it tells `drain` when it is not any more.
   * @throws TypeError if the chunk is neither a string nor a Uint8Array; nothing is written.
   */
  next(chunk: Chunk): boolean {
    const bytes = toBytes(chunk);
    const clogged = this.#all().filter((socket) => writable(socket) && !socket.next(bytes));
    // Who has failed over it will never drain.
    return !clogged.some(writable);
  }

  /** Half-closes all: see `complete()` of a socket. */
  complete(): void {
    for (const socket of this.#all()) socket.complete();
  }

  /** Aborts all: see `error()` of a socket. */
  error(reason?: unknown): void {
    for (const socket of this.#all()) socket.error(reason);
  }

  /**
   * Closes all gracefully, those that are in the group now.
   * @param options.timeout In milliseconds, for each: see `close()` of a socket.
   * @returns How they ended, in their order. Never rejects.
   */
  close(options: { readonly timeout?: number } = {}): Promise<CloseReport[]> {
    return Promise.all(this.#all().map((socket) => socket.close(options)));
  }

  /** Sets the `mark` of all. */
  mark(value: unknown): void {
    for (const socket of this.#all()) socket.mark = value;
  }

  // What is done to one may change who is in the group.
  #all(): Socket[] {
    return [...this];
  }

  #read(subscriber: Subscriber<SocketGroupEvent>, flows: FlowSet): TeardownLogic {
    const readers = new Map<Socket, Subscriber<SocketEvent>>();
    const told = (socket: Socket, name: string) => {
      if (this.#matches(name) === readers.has(socket)) return;
      if (readers.has(socket)) readers.get(socket)?.unsubscribe();
      else socket.subscribe(readerOf(socket, subscriber, flows, readers));
    };
    const leave = this.#members.follow(told);
    for (const [name, socket] of [...this.#members.entries()]) if (!subscriber.closed) told(socket, name);
    return leave;
  }
}

/** Tells a group's subscriber what one socket tells; is among `readers` until one of the three leaves. */
function readerOf(
  socket: Socket,
  subscriber: Subscriber<SocketGroupEvent>,
  flows: FlowSet,
  readers: Map<Socket, Subscriber<SocketEvent>>,
): Subscriber<SocketEvent> {
  const tell = (event: SocketGroupEvent['event']) => subscriber.next({ socket, event });
  const error = (error: unknown) => tell({ type: 'connectionError', socket, error });
  const reader = new FlowSubscriber<SocketEvent>(subscriber, { next: tell, error, complete: () => {} }, flows);
  readers.set(socket, reader);
  reader.add(() => readers.delete(socket));
  return reader;
}

function writable(socket: Socket): boolean {
  return connectionOf(socket).outbox.state === 'open';
}
