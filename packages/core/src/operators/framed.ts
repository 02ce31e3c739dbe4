// framed(): a socket of frames, for protocols that talk both ways.
import {
  type Observable,
  type ObservableInput,
  type Observer,
  type OperatorFunction,
  Subject,
  type Unsubscribable,
} from 'rxjs';
import { bindContext, ContextSubscriber } from '../base/async-context.js';
import type { Chunk } from '../base/bytes.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { Flowable } from '../flow/flowable.js';
import { Brake } from '../flow/holds.js';
import type { Codec, FrameCodec } from '../framing/codec.js';
import { controlOf, type Socket } from '../socket.js';
import { type DecodeOptions, decodeAs } from './decode.js';

/** What a codec decodes. */
type FrameOf<C extends Codec<unknown>> = Exclude<ReturnType<ReturnType<C['decoder']>['next']>, undefined>;

/** What can carry frames: a socket, or a reconnecting socket, whose connections follow each other. */
export interface Carrier extends Observer<Chunk> {
  next(chunk: Chunk): boolean;
  write(chunk: Chunk): Promise<void>;
}
export interface ReconnectingCarrier extends Carrier {
  readonly readyState: string;
  /** That of the current connection. */
  readonly socket: Socket | undefined;
  subscribe(observer: Partial<Observer<{ readonly type: string }>>): Unsubscribable;
  eachConnection<R>(project: (bytes: Flowable<Buffer>) => ObservableInput<R>): Flowable<R>;
}

/** A socket of frames: a Flowable of received frames and an Observer of values to send. Created by {@link framed}. */
export class Framed<T, U = T, S extends Carrier = Socket> extends Flowable<T> implements Observer<U> {
  /** The socket beneath. */
  readonly socket: S;
  readonly #codec: FrameCodec<T, U>;
  readonly #options: DecodeOptions;

  /** @internal */
  constructor(socket: S, codec: FrameCodec<T, U>, options: DecodeOptions) {
    const upstream = new FlowSet();
    const frames = new Subject<T>();
    const received = framesOf(socket, decodeAs('framed', codec, options));
    let started = false;
    // One decoder for all subscribers, for as long as the socket lives. It waits while there are no subscribers.
    const noSubscriber = new Brake(upstream, 'no subscriber');
    const start = bindContext(() => {
      if (started) return;
      started = true;
      const handlers = {
        next: (frame: T) => frames.next(frame),
        error: (error: unknown) => frames.error(error),
        complete: () => frames.complete(),
      };
      received.subscribe(new FlowSubscriber<T>(undefined, handlers, upstream));
    });
    super((subscriber) => {
      frames.subscribe(new ContextSubscriber(subscriber));
      // Added after the subscription above: teardowns run in order, and `observed` must not count this subscriber any
      // more.
      subscriber.add(() => {
        if (!frames.observed) noSubscriber.on();
      });
      if (subscriber.closed) return;
      // Before the start: the subscriber may leave at the first frame, and the others wait then.
      noSubscriber.off();
      start();
    }, upstream);
    this.socket = socket;
    this.#codec = codec;
    this.#options = options;
  }

  /** @internal The frames of another socket. */
  over(socket: Socket): Framed<T, U> {
    return new Framed(socket, this.#codec, this.#options);
  }

  /**
   * Sends a value as a frame.
   *
   * @returns `false` at or over `highWaterMark`: wait for the socket's `drain`. Also `false`, and the value is not
   * sent, if our side is completed or the socket is closed: then no `drain` follows.
   * @throws At the call: what the codec throws for a value that it cannot encode. The socket is unchanged.
   */
  next(value: U): boolean {
    return this.socket.next(this.#codec.encode(value));
  }

  /**
   * Sends a value as a frame, and reports when the kernel has accepted it: see {@link Socket.write}.
   *
   * @throws At the call: what the codec throws for a value that it cannot encode. The socket is unchanged.
   * @throws As a rejection: the errors of {@link Socket.write}.
   */
  write(value: U): Promise<void> {
    return this.socket.write(this.#codec.encode(value));
  }

  /** Half-closes, as {@link Socket.complete}. */
  complete(): void {
    this.socket.complete();
  }

  /** Aborts, as {@link Socket.error}. */
  error(reason?: unknown): void {
    this.socket.error(reason);
  }
}

function framesOf<T>(socket: unknown, decoding: OperatorFunction<Uint8Array, T>): Observable<T> {
  if (!isReconnecting(socket)) return controlOf(socket as Socket).bytes.pipe(decoding);
  return socket.eachConnection((bytes) => bytes.pipe(decoding));
}

/** Whether a carrier is a reconnecting socket. */
export function isReconnecting(carrier: unknown): carrier is ReconnectingCarrier {
  return typeof carrier === 'object' && carrier !== null && 'eachConnection' in carrier;
}

/**
 * A socket of frames. All subscribers share one decoder. It starts at the first subscription and lives as long as the
 * socket, so no frame is lost between two subscribers: while there are none, the socket is held.
 *
 * Unsubscribing does not close the socket: use `complete()` or `socket.close()`.
 *
 * Over a {@link ReconnectingSocket} each connection has a decoder of its own. At the end of a connection the codec decides
 * about an unfinished frame: with `linesCodec({ trailing: 'error' })` half a line is an error. A bad frame aborts its connection, and the frames of the next one follow.
 *
 * **Half-close**: completes at the peer's FIN. `complete()` sends ours.
 *
 * **Backpressure**: consumers hold the socket. A frame is delivered when all subscribers can receive it.
 *
 * @throws At the call: TypeError for something that is not a socket or a codec; TypeError or RangeError for an invalid
 * option.
 * @throws As a notification: the errors of {@link decode}; what the socket fails with.
 *
 * @example
 * ```ts
 * import { connect, framed, jsonLinesCodec } from '@rxsock/core';
 *
 * const rpc = framed(connect({ port: 9000 }), jsonLinesCodec<{ id: number; method?: string }>());
 * rpc.subscribe((answer) => console.log(answer));
 * rpc.next({ id: 1, method: 'ping' });
 * ```
 */
export function framed<C extends Codec<unknown>>(
  socket: Socket,
  codec: C,
  options?: DecodeOptions,
): Framed<FrameOf<C>, Parameters<C['encode']>[0]>;
// For a type argument: `framed<Message>(socket, codec)`.
export function framed<T>(socket: Socket, codec: Codec<T>, options?: DecodeOptions): Framed<T>;
export function framed<C extends Codec<unknown>, S extends ReconnectingCarrier>(
  socket: S,
  codec: C,
  options?: DecodeOptions,
): Framed<FrameOf<C>, Parameters<C['encode']>[0], S>;
export function framed<T, U>(
  socket: Carrier,
  codec: FrameCodec<T, U>,
  options: DecodeOptions = {},
): Framed<T, U, Carrier> {
  return new Framed(socket, codec, options);
}
