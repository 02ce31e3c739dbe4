// fromDuplex(): a Socket over any Node stream of bytes.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { Connection } from '../engine/connection.js';
import { resolveSocketOptions, type SocketOptions } from '../engine/limits.js';
import { Socket } from '../socket.js';

/**
 * A {@link Socket} over a Node `Duplex`: a `net.Socket` of somebody else's (the one that an HTTP server hands over with
 * `upgrade` or `connect`), a stream of HTTP/2, a serial port, the two ends of a process. It is open from birth, or opens
 * with a `net.Socket` that is still connecting, and it reads nothing until it is subscribed to. From here on the stream
 * belongs to the socket: do not read, write or destroy it.
 *
 * Half-close: `complete()` ends the writable side, and the end of the readable one is the event `end`, whatever the
 * `allowHalfOpen` of the stream says; that of the options holds. An abort resets TCP, beneath TLS too, and destroys
 * anything else with an error. Backpressure: both ways. Bytes that the stream had read before, or had not written yet, are
 * not lost. A TLS stream that is cut without a close_notify ends as if it were whole, for Node does not tell: let the
 * protocol say how long a message is.
 *
 * @throws TypeError at the call for a stream that is not one of bytes (`objectMode`, `setEncoding`).
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
  if (duplex.readableObjectMode || duplex.writableObjectMode || duplex.readableEncoding) {
    throw new TypeError('fromDuplex() takes a stream of bytes: without objectMode, and without setEncoding()');
  }
  const limits = resolveSocketOptions(options);
  // Whether to end our side at the peer's FIN is for the socket to decide.
  duplex.allowHalfOpen = true;
  const open = () => duplex;
  const connecting = duplex instanceof net.Socket && duplex.connecting;
  // With a signal that was aborted before, nothing is waited for, but the stream is still to be destroyed.
  if (!connecting || limits.signal?.aborted) {
    const transport = { type: 'duplex', open, readyEvent: undefined, target: targetOf(duplex) } as const;
    return new Socket(new Connection(transport, limits, { claimTimeout: 0, unclaimed: () => {} }));
  }
  const readyEvent = 'encrypted' in duplex ? 'secureConnect' : 'connect';
  // Who dialled it has set the time for it.
  const connection = new Connection(
    { type: 'duplex', open, readyEvent, resolves: true, target: 'the stream' },
    limits,
    {
      connectTimeout: 0,
    },
  );
  // At once: from now on its errors are ours.
  connection.dial();
  return new Socket(connection);
}

function targetOf(duplex: Duplex): string {
  const { remoteAddress, remotePort } = duplex as Partial<net.Socket>;
  return remoteAddress === undefined ? 'the stream' : `${remoteAddress}:${remotePort}`;
}
