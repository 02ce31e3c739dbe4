// decodeText(): bytes to text, across chunk boundaries.
import type { OperatorFunction } from 'rxjs';
import { checkString } from '../base/check.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { operate } from '../flow/flowable.js';

/**
 * Decodes a stream of bytes as text. A character that is split between two chunks is decoded whole. Malformed bytes
 * become U+FFFD. A byte order mark is kept.
 *
 * **Half-close**: an unfinished character at the end of the source is emitted as U+FFFD before the completion.
 *
 * **Backpressure**: passed through.
 *
 * @param encoding A label of the WHATWG Encoding Standard. Default: `utf-8`.
 * @throws At the call: TypeError if the encoding is not a string, RangeError if it is unknown.
 * @see https://encoding.spec.whatwg.org/#names-and-labels
 *
 * @example
 * ```ts
 * import { connect, data, decodeText } from '@rxsock/core';
 *
 * connect({ port: 17 }).pipe(data(), decodeText()).subscribe(console.log);
 * ```
 */
export function decodeText(encoding = 'utf-8'): OperatorFunction<Uint8Array, string> {
  checkString('encoding', encoding);
  new TextDecoder(encoding);
  return (source) =>
    operate(source, (subscriber) => {
      const decoder = new TextDecoder(encoding, { ignoreBOM: true });
      const emit = (text: string) => {
        if (text !== '') subscriber.next(text);
      };
      return source.subscribe(
        new FlowSubscriber<Uint8Array>(subscriber as never, {
          next: (bytes) => emit(decoder.decode(bytes, { stream: true })),
          complete: () => {
            emit(decoder.decode());
            subscriber.complete();
          },
        }),
      );
    });
}
