// fromDuplex(): a Socket over any Node stream of bytes.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { formatAddress } from '../base/endpoint.js';
import { Connection } from '../engine/connection.js';
import { resolveSocketOptions, type SocketOptions } from '../engine/limits.js';
import { controlOf, Socket } from '../socket.js';

/**
 * A {@link Socket} over a Node `Duplex`: the `net.Socket` that an HTTP server passes with `upgrade` or `connect`, an
 * HTTP/2 stream, a serial port, the standard input and output of a child process. The socket is open from the start,
 * or, over a `net.Socket` that is still connecting, as soon as that is open. It reads nothing until somebody
 * subscribes. From now on the stream belongs to the socket: do not read, write or destroy it. Bytes that the stream has
 * already received, or has not sent yet, are not lost.
 *
 * A TLS stream that is cut without a close_notify ends as if it were complete, because Node does not report it. Use a
 * protocol that says how long a message is.
 *
 * **Half-close**: `complete()` ends the writable side. The end of the readable side is the event `end`. The option
 * `allowHalfOpen` decides whether our side then stays open, not the stream's own setting. An abort resets TCP, also
 * beneath TLS, and destroys any other stream with an error.
 *
 * **Backpressure**: both ways.
 *
 * @throws At the call: TypeError for something that is not a stream of bytes (`objectMode`, `setEncoding`); TypeError
 * or RangeError for an invalid option.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { data, fromDuplex } from '@rxsock/core';
 *
 * createServer().on('upgrade', (_request, stream, head) => {
 *   const socket = fromDuplex(stream);
 *   socket.unshift(head);
 *   socket.pipe(data()).subscribe((bytes) => console.log(bytes));
 * });
 * ```
 */
export function fromDuplex(duplex: Duplex, options: SocketOptions = {}): Socket {
  checkDuplex(duplex);
  const limits = resolveSocketOptions(options);
  // The socket decides whether our side ends at the peer's FIN.
  duplex.allowHalfOpen = true;
  const open = () => duplex;
  const connecting = duplex instanceof net.Socket && duplex.connecting;
  // If the signal is aborted already, there is nothing to wait for, but the stream must still be destroyed.
  if (!connecting || limits.signal?.aborted) {
    const transport = { type: 'duplex', open, readyEvent: undefined, target: targetOf(duplex) } as const;
    return announced(new Connection(transport, limits, 'open'));
  }
  const readyEvent = 'encrypted' in duplex ? 'secureConnect' : 'connect';
  const transport = { type: 'duplex', open, readyEvent, resolves: true, target: 'the stream' } as const;
  // No limit: the code that dialled the stream has set its own.
  const connection = new Connection(transport, limits, { connectTimeout: 0 });
  // Dialled at once, because from now on the socket must receive the errors of the stream.
  connection.dial();
  return announced(connection);
}

function announced(connection: Connection): Socket {
  const socket = new Socket(connection);
  controlOf(socket).announce();
  return socket;
}

function checkDuplex(duplex: unknown): void {
  const stream = duplex as Partial<Duplex> | null | undefined;
  if (typeof stream?.write !== 'function' || typeof stream.pipe !== 'function')
    throw new TypeError(`fromDuplex() takes a Node Duplex, not ${inspect(duplex, { depth: -1 })}`);
  if (stream.readableObjectMode || stream.writableObjectMode || stream.readableEncoding)
    throw new TypeError('fromDuplex() takes a stream of bytes: without objectMode, and without setEncoding()');
}

function targetOf(duplex: Duplex): string {
  const { remoteAddress, remotePort } = duplex as Partial<net.Socket>;
  return remoteAddress === undefined ? 'the stream' : formatAddress(remoteAddress, remotePort ?? '');
}
