// netstrings(): netstrings.
import type { OperatorFunction } from 'rxjs';
import { type NetstringsOptions, netstringsCodec } from '../framing/netstrings.js';
import { type DecodeOptions, decode } from './decode.js';

/**
 * Takes netstrings apart: `5:hello,`. The same as `decode(netstringsCodec(options))`.
 *
 * Half-close: an end inside a netstring is an error. Backpressure: while held it stops inside a chunk, and leaving it gives unused bytes back to the socket.
 *
 * @throws as notifications: {@link FrameTooLongError}, {@link TruncatedFrameError}, {@link FrameError} for what is not a netstring.
 *
 * @example
 * ```ts
 * import { connect, data, netstrings } from '@rxsock/core';
 *
 * connect({ port: 628 }).pipe(data(), netstrings()).subscribe((payload) => console.log(payload.toString()));
 * ```
 */
export function netstrings(options: NetstringsOptions & DecodeOptions = {}): OperatorFunction<Uint8Array, Buffer> {
  return decode(netstringsCodec(options), options);
}
