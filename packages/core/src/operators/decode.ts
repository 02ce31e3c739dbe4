// decode(): runs a codec's decoder over a stream of bytes, one frame at a time.
import type { OperatorFunction, SchedulerLike, Subscriber } from 'rxjs';
import { AsyncContext } from '../base/async-context.js';
import { checkFunction, checkObject, checkOptions, checkScheduler, checkTimeout } from '../base/check.js';
import { Deadline } from '../base/deadline.js';
import { type BackpressureOverflowError, SocketTimeoutError } from '../base/errors.js';
import { isLocalDecision } from '../base/local-decision.js';
import { Queue } from '../base/queue.js';
import { clearImmediate, setImmediate } from '../base/real-timers.js';
import { NEXT_TURN, spendTime } from '../base/turn-budget.js';
import { ByteSource, holdsOn, schedulerOf, unread, withEndpoints } from '../flow/byte-source.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { flowable } from '../flow/flowable.js';
import { Brake, Holds, pathTo } from '../flow/holds.js';
import { unheldOverflow } from '../flow/unheld-limit.js';
import { BorrowingDecoder } from '../framing/borrowing-decoder.js';
import type { Codec } from '../framing/codec.js';
import { FrameDecoder } from '../framing/frame-decoder.js';
import { UnfinishedFrame } from '../framing/unfinished-frame.js';

/** Options of {@link decode} and of every framing operator. */
export interface DecodeOptions {
  /**
   * How long one frame may take from its first byte to its last, in milliseconds. 0 and Infinity mean no limit. When it
   * has passed, the stream fails with a {@link SocketTimeoutError}. The time stands still while the operator is
   * held, or the socket directly behind `data()`, whoever holds it.
   * @defaultValue 0
   */
  readonly frameTimeout?: number | undefined;
  /**
   * The scheduler of the timer, so that virtual time works.
   * @defaultValue that of the socket directly behind `data()`; `asyncScheduler` behind any other operator
   */
  readonly scheduler?: SchedulerLike | undefined;
}

/**
 * Turns bytes into frames, with any codec.
 *
 * **Half-close**: at the end of the source, the codec decides about an unfinished frame: a last frame or an error.
 * Frames before a bad one are emitted first.
 *
 * **Backpressure**: while held, the operator stops inside a chunk and holds its source. Over a socket it also pauses
 * when a turn of the event loop has used up its time: the rest of the chunk is emitted in a later turn. If you
 * unsubscribe inside a chunk of `socket.pipe(data())`, the unused bytes go back to the socket and the next reader
 * starts with them.
 *
 * @throws At the call: TypeError for something that is not a codec; TypeError or RangeError for an invalid option.
 * @throws As a notification: {@link FrameError} and its subclasses: see the codec. Directly over
 * `socket.pipe(data())` they have the socket's `local` and `remote`. {@link SocketTimeoutError} (`ETIMEDOUT`) for
 * `frameTimeout`; {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`) if 64 MiB wait and the source cannot
 * be held; what the source fails with.
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
  return decodeAs('decode', codec, options);
}

/**
 * As {@link decode}, for an operator of a codec of this library.
 * @param name The name of the operator, as holds show it.
 */
export function decodeAs<T>(
  name: string,
  codec: Pick<Codec<T>, 'decoder'>,
  options: DecodeOptions,
): OperatorFunction<Uint8Array, T> {
  checkObject('codec', codec, 'a codec, such as linesCodec()');
  checkFunction('codec.decoder', codec.decoder);
  checkOptions(options, '{ frameTimeout: 5000 }');
  const { frameTimeout = 0, scheduler } = options;
  checkTimeout('frameTimeout', frameTimeout);
  if (scheduler !== undefined) checkScheduler('scheduler', scheduler);
  return (source) =>
    flowable((subscriber, join) => {
      const decoder = codec.decoder();
      const unfinished = new UnfinishedFrame(decoder);
      const upstream = new FlowSet();
      const chunks = new Queue<Uint8Array>();
      /** How many bytes wait in `chunks`. */
      let waiting = 0;
      let running = false;
      let input: 'open' | 'completed' | { readonly error: unknown } = 'open';
      /** Whether the decoder knows that the input has ended. */
      let ended = false;
      /** Whether everything was emitted, the end included: nothing is left to give back. */
      let finished = false;
      let incoming: FlowSubscriber<Uint8Array> | undefined;
      /** How many frames the decoder has taken, if it tells: it may leave some out. */
      let taken = 0;
      /** Whether a long chunk is decoded in several turns of the event loop. */
      let isPaced = false;
      let nextTurn: NodeJS.Immediate | undefined;
      /** Whether it has waited for this turn. Then it takes a step, even if others have used up the turn before. */
      let hasWaited = false;

      const context = new AsyncContext();
      const onHeld = (held: boolean) => {
        if (!held) return run();
        brake.on();
        deadline.pause();
      };
      const holds = new Holds((held) => context.runInAsyncScope(onHeld, undefined, held));
      const brake = new Brake(upstream, () => pathTo(holds, name) || NEXT_TURN);
      const onLate = () => subscriber.error(frameTimeoutError(frameTimeout));
      const clock = scheduler ?? schedulerOf(source);
      const deadline = new Deadline(clock, frameTimeout, () => context.runInAsyncScope(onLate));
      const socketHolds = frameTimeout === 0 ? undefined : holdsOn(source);
      const updateDeadline = () => {
        if (frameTimeout === 0) return;
        if (input !== 'open' || subscriber.closed) deadline.stop();
        else if (holds.held || socketHolds?.delays) deadline.pause();
        else if (!nextTurn && !deadline.running && unfinished.exists) deadline.run();
      };

      /** Emits frames until the operator is held or unsubscribed, or until the bytes are used up. */
      const emit = () => {
        while (!subscriber.closed && !holds.held && !nextTurn) {
          if (isPaced && !spendTime() && !hasWaited) return continueNextTurn();
          hasWaited = false;
          const frame = decoder.next();
          if (frame !== undefined) {
            deadline.stop();
            unfinished.taken();
            subscriber.next(frame);
            continue;
          }
          if (decoder instanceof FrameDecoder && decoder.frameCount !== taken) {
            taken = decoder.frameCount;
            deadline.stop();
            unfinished.taken();
          }
          const chunk = chunks.shift();
          if (chunk) {
            waiting -= chunk.length;
            decoder.push(chunk);
            unfinished.pushed(chunk.length);
          } else if (input === 'completed' && !ended) {
            ended = true;
            decoder.end();
          } else {
            return;
          }
        }
      };
      const continueNextTurn = () => {
        nextTurn = setImmediate(() => {
          nextTurn = undefined;
          hasWaited = true;
          run();
        });
        brake.on();
      };
      /**
       * Emits what can be emitted. When nothing is left, passes on the end of the source, or lets the source resume.
       */
      const run = () => {
        if (running) return;
        running = true;
        try {
          emit();
        } catch (error) {
          subscriber.error(withEndpoints(error, source));
        } finally {
          running = false;
        }
        updateDeadline();
        if (subscriber.closed || holds.held || nextTurn) return;
        finished = input !== 'open';
        passEnd(input, subscriber);
        brake.off();
      };
      const receive = (chunk: Uint8Array) => {
        if (chunk.length === 0) return;
        // Sources that can be held send no more than one chunk each while others wait.
        const overflow = unheldOverflow(waiting, chunks.length, 'a slow consumer');
        if (overflow) return subscriber.error(overflow);
        chunks.push(chunk);
        waiting += chunk.length;
        isPaced = upstream.isRealTime;
        run();
      };
      const keepRest = (borrower: BorrowingDecoder<unknown>) => {
        const last = chunks.peekLast();
        if (last) chunks.replaceLast(Buffer.from(last));
        borrower.keepRest();
      };
      const end = (how: 'completed' | { readonly error: unknown }) => {
        input = how;
        run();
      };
      const fail = (error: unknown) => {
        if (isLocalDecision(error)) subscriber.error(error);
        else end({ error });
      };

      join(holds);
      const ignoreHolds = socketHolds?.onChange(updateDeadline);
      subscriber.add(() => {
        deadline.stop();
        ignoreHolds?.();
        if (nextTurn) clearImmediate(nextTurn);
        if (finished || !incoming) return;
        const unused: Uint8Array[] = [decoder.rest()];
        while (chunks.length > 0) unused.push(chunks.shift() as Uint8Array);
        for (const bytes of unused.reverse()) unread(source, bytes, incoming);
      });
      // Created after that teardown was added, so that bytes are given back before the source is unsubscribed.
      incoming = new FlowSubscriber<Uint8Array>(
        subscriber as never,
        {
          next: receive,
          error: fail,
          complete: () => end('completed'),
          keepRest:
            decoder instanceof BorrowingDecoder && source instanceof ByteSource ? () => keepRest(decoder) : undefined,
        },
        upstream,
      );
      source.subscribe(incoming);
    });
}

function passEnd(input: 'open' | 'completed' | { readonly error: unknown }, subscriber: Subscriber<never>): void {
  if (input === 'completed') subscriber.complete();
  else if (input !== 'open') subscriber.error(input.error);
}

function frameTimeoutError(milliseconds: number): SocketTimeoutError {
  const message = `A frame was not complete within frameTimeout (${milliseconds} ms) after its first byte`;
  return new SocketTimeoutError(message, { phase: 'read', timeout: 'frameTimeout', milliseconds });
}
