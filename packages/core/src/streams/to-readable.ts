// toReadable(): an Observable as a Node Readable.
import { Readable } from 'node:stream';
import type { Observable } from 'rxjs';
import type { Chunk } from '../framing/codec.js';
import { toAsyncIterable } from './async-iterable.js';

/** Options of {@link toReadable}. */
export interface ToReadableOptions {
  /** Whether the values are passed as they are, instead of as bytes. @defaultValue `false` */
  readonly objectMode?: boolean;
  /** How much the stream reads ahead: in bytes, in `objectMode` in values. @defaultValue Node's */
  readonly highWaterMark?: number;
}

/**
 * An Observable as a Node `Readable`. Its first read subscribes; its sources are held while it is full.
 *
 * Half-close: ends when the source completes; `socket.pipe(data())` does at the peer's FIN. What the source fails with is
 * its `'error'`; as in any `Readable`, what it has read ahead is then dropped. Destroying it unsubscribes. Backpressure: as
 * {@link toAsyncIterable}.
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
  options?: ToReadableOptions & { readonly objectMode?: false },
): Readable;
export function toReadable(
  source: Observable<unknown>,
  options: ToReadableOptions & { readonly objectMode: true },
): Readable;
export function toReadable(source: Observable<unknown>, options: ToReadableOptions = {}): Readable {
  return Readable.from(toAsyncIterable(source), { objectMode: false, ...options });
}
