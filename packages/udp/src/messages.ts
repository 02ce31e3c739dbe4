// messages(): the bytes of each received datagram.
import { on } from '@rxsock/core';
import { map, type Observable, type OperatorFunction } from 'rxjs';
import type { DatagramEvent } from './events.js';

/**
 * Emits the bytes of each received datagram, including empty ones: the input for `decodeEach(codec)`. If you also need
 * the sender, use `on('message')`. Completes when the socket closes.
 *
 * **Backpressure**: none. Received datagrams cannot be held back: see {@link mapMessages}.
 *
 * @throws As a notification: nothing of its own. The errors of the socket pass through.
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
