// toReadable(): an Observable as a Node Readable.
import { Readable } from 'node:stream';
import type { Observable } from 'rxjs';
import type { Chunk } from '../base/bytes.js';
import { checkBoolean, checkInteger, checkOptions } from '../base/check.js';
import { iterate } from '../flow/iterate.js';

/** Options of {@link toReadable}. */
export interface ToReadableOptions {
  /** Whether values are passed on as they are, instead of as bytes. @defaultValue `false` */
  readonly objectMode?: boolean | undefined;
  /**
   * How much the stream reads ahead: in bytes, or in values with `objectMode`. With the default it is one chunk.
   * @defaultValue 1, that of Node's `Readable.from`
   */
  readonly highWaterMark?: number | undefined;
}

/**
 * Converts an Observable to a Node `Readable`. The first read subscribes. Destroying the stream unsubscribes.
 *
 * **Half-close**: ends when the source completes. `socket.pipe(data())` completes at the peer's FIN.
 *
 * **Backpressure**: the sources are held while the stream is full.
 *
 * @throws At the call: TypeError or RangeError for an invalid option.
 * @throws As the stream's `'error'`: what the source fails with; the stream then drops what it has read ahead, as any
 * `Readable` does. {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`) if 65,536 values wait and the source
 * cannot be held. Node's `ERR_INVALID_ARG_TYPE` for a value that is not a chunk, without `objectMode`.
 *
 * @example
 * ```ts
 * import { createGunzip } from 'node:zlib';
 * import { connect, data, toReadable } from '@rxsock/core';
 *
 * toReadable(connect({ port: 9000 }).pipe(data())).pipe(createGunzip()).pipe(process.stdout);
 * ```
 */
export function toReadable(
  source: Observable<Chunk>,
  options?: ToReadableOptions & { readonly objectMode?: false | undefined },
): Readable;
export function toReadable(
  source: Observable<unknown>,
  options: ToReadableOptions & { readonly objectMode: true },
): Readable;
export function toReadable(source: Observable<unknown>, options: ToReadableOptions = {}): Readable {
  checkOptions(options, '{ objectMode: true }');
  const { objectMode = false, highWaterMark } = options;
  checkBoolean('objectMode', objectMode);
  if (highWaterMark !== undefined) checkInteger('highWaterMark', highWaterMark, 1);
  // A stream that is full does not pull, so it would not learn that this side has aborted the source.
  const destroy = (error: unknown) => void readable.destroy(error as Error);
  const iterable = { [Symbol.asyncIterator]: () => iterate(source, 0, destroy) };
  const readable = Readable.from(iterable, { objectMode, ...(highWaterMark !== undefined && { highWaterMark }) });
  return readable;
}
