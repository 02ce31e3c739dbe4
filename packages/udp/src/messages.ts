// messages(): the bytes of what comes.
import { on } from '@rxsock/core';
import { map, type Observable, type OperatorFunction } from 'rxjs';
import type { DatagramEvent } from './events.js';

/**
 * The bytes of each datagram that comes, empty ones too: what `decodeEach(codec)` takes. Where the sender matters, use
 * `on('message')`. It completes when the socket closes. Backpressure: none, a datagram cannot be held.
 *
 * @example
 * ```ts
 * import { decodeEach, jsonLinesCodec } from '@rxsock/core';
 * import { connect, messages } from '@rxsock/udp';
 *
 * connect({ port: 514 }).pipe(messages(), decodeEach(jsonLinesCodec<{ level: string }>())).subscribe(console.log);
 * ```
 */
export function messages(): OperatorFunction<DatagramEvent, Buffer> {
  return (source: Observable<DatagramEvent>) =>
    source.pipe(
      on('message'),
      map(({ data }) => data),
    );
}
