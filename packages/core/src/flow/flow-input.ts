// One way to pull values from every kind of source, and to stop the source at once. An async generator cannot be
// stopped while a pull is pending: its `return()` waits for the pending `next()`.
import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { inspect } from 'node:util';

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

/** Starts pulling from a source. */
export function pull<T>(source: FlowInput<T>): Pull<T> {
  if ('getReader' in source) return pullStream(source);
  if (Symbol.asyncIterator in source)
    return 'iterator' in source && 'destroy' in source ? pullReadable(source) : pullAsyncIterable(source);
  return pullIterable(source);
}

function pullStream<T>(stream: ReadableStream<T>): Pull<T> {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<T>>,
    // If the stream has failed, read() has already rejected with that error.
    stop: () => void reader.cancel().catch(() => {}),
  };
}

function pullReadable<T>(source: AsyncIterable<T>): Pull<T> {
  const stream = source as unknown as Readable;
  // Stays attached: Node's iterator listens for errors only from the first pull to the end. An error at another time
  // must not be unhandled.
  stream.on('error', () => {});
  // The end of the readable side must not destroy a Duplex, because somebody may still write to it.
  const iterator = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<T>;
  return { next: () => iterator.next(), stop: () => stream.destroy() };
}

function pullAsyncIterable<T>(iterable: AsyncIterable<T>): Pull<T> {
  const iterator = iterable[Symbol.asyncIterator]();
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
