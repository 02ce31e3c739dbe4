// One way to pull values from every kind of source, and to stop the source at once. An async generator cannot be
// stopped while a pull is pending: its `return()` waits for the pending `next()`.
import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { inspect } from 'node:util';
import { isLocalDecision } from '../base/local-decision.js';
import { onLocalDecisionOf } from './iterate.js';

/** A source of values: an iterable, an async iterable, a generator, a Node `Readable` or a Web `ReadableStream`. */
export type FlowInput<T> = Iterable<T> | AsyncIterable<T> | ReadableStream<T>;

/** A source that values are pulled from. */
export interface Pull<T> {
  /** Pulls the next value. Must not be called again before the result has settled. */
  next(): IteratorResult<T> | Promise<IteratorResult<T>>;
  /**
   * Stops the source before its end. Calls `return()` of an iterator. Destroys a `Readable` or cancels a
   * `ReadableStream`, even while `next()` is pending.
   */
  stop(): void;
}

/** Throws a TypeError unless values can be pulled from `source`. */
export function checkFlowInput(source: unknown): void {
  const { asyncIterator, iterator } = Symbol;
  if (source !== null && source !== undefined) {
    const { [asyncIterator]: asyncs, [iterator]: syncs, getReader } = source as Record<PropertyKey, unknown>;
    if ([asyncs, syncs, getReader].some((method) => typeof method === 'function')) return;
  }
  const given = inspect(source, { depth: -1 });
  throw new TypeError(
    `The source must be an iterable, an async iterable, a Readable or a ReadableStream, not ${given}`,
  );
}

/**
 * Starts pulling from a source.
 * @param onLocalDecision Called at once if the source is a socket, or made of one, and this side ends that socket with
 * an error, for a consumer that may not pull now. `next()` may then reject with the same error.
 */
export function pull<T>(source: FlowInput<T>, onLocalDecision: (error: unknown) => void): Pull<T> {
  if (!('getReader' in source) && !(Symbol.asyncIterator in source)) return pullIterable(source);
  const onError = (error: unknown) => {
    if (isLocalDecision(error)) onLocalDecision(error);
  };
  if ('getReader' in source) return pullStream(source, onError);
  const isReadable = 'iterator' in source && 'destroy' in source;
  return isReadable ? pullReadable(source, onError) : pullAsyncIterable(source, onError);
}

function pullStream<T>(stream: ReadableStream<T>, onError: (error: unknown) => void): Pull<T> {
  const reader = stream.getReader();
  reader.closed.catch(onError);
  return {
    next: () => reader.read() as Promise<IteratorResult<T>>,
    // If the stream has failed, read() has already rejected with that error.
    stop: () => void reader.cancel().catch(() => {}),
  };
}

function pullReadable<T>(source: AsyncIterable<T>, onError: (error: unknown) => void): Pull<T> {
  const stream = source as unknown as Readable;
  // Stays attached: Node's iterator listens for errors only from the first pull to the end. An error at another time
  // must not be unhandled.
  stream.on('error', onError);
  // The end of the readable side must not destroy a Duplex, because somebody may still write to it.
  const iterator = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<T>;
  return { next: () => iterator.next(), stop: () => stream.destroy() };
}

function pullAsyncIterable<T>(iterable: AsyncIterable<T>, onError: (error: unknown) => void): Pull<T> {
  const iterator = iterable[Symbol.asyncIterator]();
  onLocalDecisionOf(iterator, onError);
  return { next: () => iterator.next(), stop: () => void settle(() => iterator.return?.()) };
}

function pullIterable<T>(iterable: Iterable<T>): Pull<T> {
  const iterator = iterable[Symbol.iterator]();
  return { next: () => iterator.next(), stop: () => void settle(() => iterator.return?.()) };
}

// Nobody waits for a source that was stopped, so its failure becomes a process warning.
async function settle(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
