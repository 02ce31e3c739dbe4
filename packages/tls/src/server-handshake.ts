// The server's side of a TLS handshake on a stream that is already open: for upgrade().
import { internetEndpoints } from '@rxsock/core/internal';
import type { Handshake } from './handshake.js';
import { serverHandshakeError } from './server-errors.js';
import type { ServerOptions } from './server-options.js';
import { TlsServer } from './tls-server.js';

/**
 * Prepares the handshake of a server. Throws for options that do not fit together.
 * @param target How messages name the client.
 */
export function serverHandshake(options: ServerOptions, target: string): Handshake {
  // The engine limits the time, in virtual time too.
  const tlsServer = new TlsServer({ ...options, handshakeTimeout: 0 });
  return (stream, handlers) => {
    // A server that never listens: handing it the stream is the documented way.
    // Not paused: Node would read twice what a stream in JavaScript receives in this turn.
    const server = tlsServer.create({});
    const { allowHalfOpen } = stream;
    server.on('secureConnection', (secure) => {
      stream.allowHalfOpen = allowHalfOpen;
      handlers.done(secure);
    });
    server.on('tlsClientError', (cause, secure) => {
      const errorContext = { phase: 'open', target, ...internetEndpoints(stream) } as const;
      handlers.failed(serverHandshakeError(options, cause, errorContext, secure));
    });
    // For the handshake only, as in `TlsServer.create`.
    stream.allowHalfOpen = false;
    server.emit('connection', stream);
  };
}
