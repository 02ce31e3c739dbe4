// One way to pull from every kind of source, and to let go of it at once: an iterator alone cannot be left while it
// waits, for its `return()` queues behind the pending `next()`.
import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** What can be pulled: an iterable, a generator, a Node `Readable`, a Web `ReadableStream`. */
export type FlowInput<T> = Iterable<T> | AsyncIterable<T> | ReadableStream<T>;

/** A source that is being pulled. */
export interface Pull<T> {
  /** The next value. Not to be called again before it has settled. */
  next(): IteratorResult<T> | Promise<IteratorResult<T>>;
  /** Lets go before the end: the source is returned, destroyed or cancelled, even while `next()` is pending. */
  stop(): void;
}

/** @throws TypeError if `source` is none that can be pulled. */
export function checkFlowInput(source: unknown): void {
  const { asyncIterator, iterator } = Symbol;
  if (source !== null && source !== undefined) {
    const { [asyncIterator]: asyncs, [iterator]: syncs, getReader } = source as Record<PropertyKey, unknown>;
    if ([asyncs, syncs, getReader].some((method) => typeof method === 'function')) return;
  }
  throw new TypeError('Only an iterable, an async iterable, a Readable or a ReadableStream can be pulled from');
}

/** Begins to pull. */
export function pull<T>(source: FlowInput<T>): Pull<T> {
  if ('getReader' in source) return pullStream(source);
  if (Symbol.asyncIterator in source)
    return 'iterator' in source && 'destroy' in source ? pullReadable(source) : pullAsyncs(source);
  return pullValues(source);
}

function pullStream<T>(stream: ReadableStream<T>): Pull<T> {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<T>>,
    // What the stream has failed with was told by read().
    stop: () => void reader.cancel().catch(() => {}),
  };
}

function pullReadable<T>(source: AsyncIterable<T>): Pull<T> {
  const stream = source as unknown as Readable;
  // For ever: the iterator listens only from the first pull to the end, and an error beside that must not be unhandled.
  stream.on('error', () => {});
  // The end of the readable side must not destroy a Duplex, which may still be written to.
  const iterator = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<T>;
  return { next: () => iterator.next(), stop: () => stream.destroy() };
}

function pullAsyncs<T>(iterable: AsyncIterable<T>): Pull<T> {
  const iterator = iterable[Symbol.asyncIterator]();
  return { next: () => iterator.next(), stop: () => void settle(() => iterator.return?.()) };
}

function pullValues<T>(iterable: Iterable<T>): Pull<T> {
  const iterator = iterable[Symbol.iterator]();
  return { next: () => iterator.next(), stop: () => void settle(() => iterator.return?.()) };
}

// Nobody waits for a source that was let go of.
async function settle(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
