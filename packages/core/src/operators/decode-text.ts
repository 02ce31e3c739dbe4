// decodeText(): bytes to text, across chunk boundaries.
import type { OperatorFunction } from 'rxjs';
import { FlowSubscriber, operate } from '../flow/flowable.js';
import { forEachConnection } from './spanning.js';

/**
 * Decodes a stream of bytes as text; a character that two chunks share is decoded whole. Malformed bytes become U+FFFD.
 * Half-close: what is left at the end of the source is decoded first. Backpressure: passed through.
 *
 * @param encoding Any label of the WHATWG Encoding Standard.
 * @defaultValue `utf-8`; a byte order mark is kept
 * @throws RangeError if the encoding is not known.
 *
 * @example
 * ```ts
 * import { connect, data, decodeText } from '@rxsock/core';
 *
 * connect({ port: 17 }).pipe(data(), decodeText()).subscribe(console.log);
 * ```
 */
export function decodeText(encoding = 'utf-8'): OperatorFunction<Uint8Array, string> {
  new TextDecoder(encoding);
  return (source) =>
    forEachConnection(source, decodeText(encoding)) ??
    operate(source, (subscriber) => {
      const decoder = new TextDecoder(encoding, { ignoreBOM: true });
      const emit = (text: string) => {
        if (text !== '') subscriber.next(text);
      };
      return source.subscribe(
        new FlowSubscriber<Uint8Array>(subscriber, {
          next: (bytes) => emit(decoder.decode(bytes, { stream: true })),
          complete: () => {
            emit(decoder.decode());
            subscriber.complete();
          },
        }),
      );
    });
}
