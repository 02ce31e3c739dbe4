// framed(): a socket of frames, for protocols that talk both ways.
import { type Observer, Subject } from 'rxjs';
import { Brake, FlowSet } from '../flow/flow.js';
import { Flowable, FlowSubscriber } from '../flow/flowable.js';
import type { BytesCodec, Chunk, Codec } from '../framing/codec.js';
import { connectionOf, type Socket } from '../socket.js';
import { data } from './data.js';
import { type DecodeOptions, decode } from './decode.js';

/** A codec, which may encode more than it decodes. */
type Pair<T, U> = Pick<Codec<T>, 'decoder'> & { encode(value: U): Chunk };

/** A socket of frames: a Flowable of what is received, an Observer of what is to be sent. Made by {@link framed}. */
export class Framed<T, U = T> extends Flowable<T> implements Observer<U> {
  /** The socket beneath. */
  readonly socket: Socket;
  readonly #codec: Pair<T, U>;

  /** @internal */
  constructor(socket: Socket, codec: Pair<T, U>, options: DecodeOptions) {
    const upstream = new FlowSet();
    const frames = new Subject<T>();
    const received = socket.pipe(data(), decode(codec, options));
    let started = false;
    const unheard = new Brake(upstream, 'framed: nobody is subscribed');
    // One decoder for all subscribers and for as long as the socket lives; while there are none, it waits.
    super((subscriber) => {
      frames.subscribe(subscriber);
      // After the line above: only then has it left when this asks who is there.
      subscriber.add(() => {
        if (!frames.observed) unheard.on();
      });
      if (!started) {
        started = true;
        received.subscribe(
          new FlowSubscriber<T>(
            undefined,
            {
              next: (frame) => frames.next(frame),
              error: (error) => frames.error(error),
              complete: () => frames.complete(),
            },
            upstream,
          ),
        );
      }
      unheard.off();
    }, upstream);
    this.socket = socket;
    this.#codec = codec;
  }

  /**
   * Sends a value as a frame.
   * @returns `false` at or over `highWaterMark`, as {@link Socket.next}.
   * @throws what the codec throws for a value that cannot be a frame; the socket is unharmed.
   */
  next(value: U): boolean {
    return this.socket.next(this.#codec.encode(value));
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

/**
 * A socket of frames. All subscribers share one decoder, which begins at the first subscription and goes on for as long as
 * the socket lives, so no frame is lost between two subscribers: while there are none the socket is held.
 *
 * Half-close: completes at the peer's FIN; `complete()` sends ours. Backpressure: consumers hold the socket, and a frame
 * is given to nobody before it can be given to all. It does not close by being left: use `complete()` or `socket.close()`.
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
export function framed(socket: Socket, codec: BytesCodec, options?: DecodeOptions): Framed<Buffer, Chunk>;
export function framed<T>(socket: Socket, codec: Codec<T>, options?: DecodeOptions): Framed<T>;
export function framed<T, U>(socket: Socket, codec: Pair<T, U>, options: DecodeOptions = {}): Framed<T, U> {
  // Throws here for what is none.
  connectionOf(socket);
  return new Framed(socket, codec, options);
}
