// decode(): runs a codec's decoder over a stream of bytes, one frame at a time.
import { asyncScheduler, type OperatorFunction, type SchedulerLike } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { BackpressureOverflowError, SocketTimeoutError } from '../base/errors.js';
import { checkLimit } from '../engine/limits.js';
import { Brake, FlowSet, Holds } from '../flow/flow.js';
import { FlowSubscriber, flowable } from '../flow/flowable.js';
import type { Codec } from '../framing/codec.js';
import { giveBack } from './give-back.js';
import { forEachConnection } from './spanning.js';

/** Options of {@link decode} and of every framing operator. */
export interface DecodeOptions {
  /**
   * How long one frame may take from its first byte to its last, in milliseconds; 0 = for ever. Past it the stream fails
   * with a {@link SocketTimeoutError}. Stands still while held.
   * @defaultValue 0
   */
  readonly frameTimeout?: number;
  /** Where the timer goes. @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/** What may wait here, in bytes, when the source cannot be held. */
const UNHELD_LIMIT = 64 * 1024 * 1024;

/**
 * Turns bytes into frames with anybody's codec.
 *
 * Half-close: at the end of the source an unfinished frame is what the codec says, a last frame or an error. Frames
 * before a bad one are emitted first. Backpressure: while held it stops inside a chunk and holds its source. Leaving in
 * the middle of a chunk gives the unused bytes back where the source is `socket.pipe(data())`: the next reader starts there.
 *
 * @throws {@link FrameError} and its kind as notifications, as the codec says; {@link BackpressureOverflowError} if the
 * source cannot be held and sends on.
 *
 * @example
 * ```ts
 * import { connect, data, decode, linesCodec } from '@rxsock/core';
 *
 * connect({ port: 79 }).pipe(data(), decode(linesCodec())).subscribe(console.log);
 * ```
 */
export function decode<T>(
  codec: Pick<Codec<T>, 'decoder'>,
  options: DecodeOptions = {},
): OperatorFunction<Uint8Array, T> {
  const { frameTimeout = 0, scheduler = asyncScheduler } = options;
  checkLimit('frameTimeout', frameTimeout);
  return (bytes) =>
    forEachConnection(bytes, decode(codec, options)) ??
    flowable((subscriber, join) => {
      const decoder = codec.decoder();
      const upstream = new FlowSet();
      const chunks: Uint8Array[] = [];
      let waiting = 0;
      let running = false;
      let source: 'open' | 'completed' | 'failed' = 'open';
      let failure: unknown;
      let ended = false;
      let over = false;
      let incoming: FlowSubscriber<Uint8Array> | undefined;
      const brake = new Brake(upstream, () => own.holds.join(', '));

      const deadline = new Deadline(scheduler, frameTimeout, () => {
        const message = `frameTimeout: a frame was not complete after ${frameTimeout} ms`;
        const options = { phase: 'read', timeout: 'frameTimeout', milliseconds: frameTimeout } as const;
        subscriber.error(new SocketTimeoutError(message, options));
      });
      const timeFrame = () => {
        if (frameTimeout === 0) return;
        if (own.held || source !== 'open' || subscriber.closed) deadline.stop();
        else if (!deadline.running && decoder.rest().length > 0) deadline.start();
      };
      const own = new Holds((held) => {
        if (held) brake.on();
        else run();
        timeFrame();
      });
      // Emits until held, left or out of bytes.
      const emit = () => {
        while (!subscriber.closed && !own.held) {
          const frame = decoder.next();
          if (frame !== undefined) {
            deadline.stop();
            subscriber.next(frame);
            continue;
          }
          const chunk = chunks.shift();
          if (chunk) {
            waiting -= chunk.length;
            decoder.push(chunk);
          } else if (source === 'completed' && !ended) {
            ended = true;
            decoder.end();
          } else {
            return;
          }
        }
      };
      // Only when all is emitted may the source go on, or its end be told.
      const run = () => {
        if (running) return;
        running = true;
        try {
          emit();
        } catch (error) {
          subscriber.error(error);
        } finally {
          running = false;
        }
        if (subscriber.closed || own.held) return;
        over = source !== 'open';
        if (source === 'completed') subscriber.complete();
        else if (source === 'failed') subscriber.error(failure);
        brake.off();
      };

      join(own);
      subscriber.add(() => {
        deadline.stop();
        if (over || !incoming) return;
        for (const unused of [...chunks.reverse(), decoder.rest()]) giveBack(bytes, unused, incoming);
      });
      // After that teardown: bytes are given back before the source is left.
      incoming = new FlowSubscriber<Uint8Array>(
        subscriber as never,
        {
          next: (chunk) => {
            chunks.push(chunk);
            waiting += chunk.length;
            run();
            timeFrame();
            if (waiting > UNHELD_LIMIT && upstream.size === 0) {
              const message = `${waiting} bytes wait for a slow consumer and their source cannot be held: make it with flowFrom()`;
              subscriber.error(new BackpressureOverflowError(message, { limit: UNHELD_LIMIT }));
            }
          },
          error: (error) => {
            failure = error;
            source = 'failed';
            run();
          },
          complete: () => {
            source = 'completed';
            run();
          },
        },
        upstream,
      );
      bytes.subscribe(incoming);
    });
}
