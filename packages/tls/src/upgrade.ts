// upgrade(): TLS over a connection that has begun without it, as for STARTTLS.
import type { Duplex } from 'node:stream';
import { Reader, type Socket, type SocketOptions } from '@rxsock/core';
import {
  checkLimit,
  connectionOf,
  type HandshakeHandlers,
  internetEndpoints,
  resolveSocketOptions,
  socketOver,
} from '@rxsock/core/internal';
import { type ClientOptions, clientSide, HANDSHAKE_TIMEOUT } from './client.js';
import { explain } from './errors.js';
import { explainAccepted, type ServerOptions, ServerSide } from './server.js';

/** Options of {@link upgrade} on the client's side. `servername` or `verifyHost` is needed, unless `verify` is `false`. */
export interface ClientUpgradeOptions extends SocketOptions, ClientOptions {
  readonly isServer?: false;
}

/** Options of {@link upgrade} on the server's side. */
export interface ServerUpgradeOptions extends SocketOptions, ServerOptions {
  readonly isServer: true;
}

/** Options of {@link upgrade}. */
export type UpgradeOptions = ClientUpgradeOptions | ServerUpgradeOptions;

/**
 * Goes on with TLS over an open connection, as STARTTLS does. The plain socket ends here: its subscribers get `close` with
 * `how: 'upgraded'`. The new one begins its handshake at once; what is written before it is over is sent after it. Give it
 * the reader that has read the last plain line, or the socket when nobody reads it any more.
 *
 * Not one plain byte crosses over: whatever has come before the handshake was put there without the peer's key, maybe by
 * somebody in between, so an upgrade with bytes left over is refused. Over a socket of TLS, a cut of the inner stream cannot
 * be told from its end.
 *
 * Half-close and backpressure: as for {@link connect}. The server that has accepted the plain socket counts the connection
 * still: `close()` waits for it and cuts it.
 *
 * @throws SocketError at the call: `ERR_PLAINTEXT_LEFT` for bytes left over, `ERR_READER_EXISTS` while somebody reads,
 * `ERR_WRITES_PENDING`, `ERR_SOCKET_NOT_OPEN`; TypeError where there is no name to verify by. The socket then is as it was.
 * In a handler of `complete` the one who completes is still there: go on in the next turn, or with `await`.
 * As notifications: those of {@link connect}.
 * @see RFC 3207, section 4.2 and section 5
 *
 * @example
 * ```ts
 * import { connect, reader } from '@rxsock/core';
 * import { upgrade } from '@rxsock/tls';
 *
 * const plain = connect({ host: 'mail.example.com', port: 25 });
 * const smtp = reader(plain);
 * await smtp.readLine(); // 220 mail.example.com
 * await plain.write('STARTTLS\r\n');
 * await smtp.readLine(); // 220 go ahead
 * const secure = upgrade(smtp, { servername: 'mail.example.com' });
 * await secure.write('EHLO me\r\n');
 * ```
 */
export function upgrade(plain: Socket | Reader, options: UpgradeOptions): Socket {
  const socket = plain instanceof Reader ? plain.socket : plain;
  const { remote } = socket;
  const target = remote && 'address' in remote ? `${remote.address}:${remote.port}` : 'the peer';
  const secure = options.isServer ? acceptSecurely(options, target) : clientSide(options, undefined, target);
  const { handshakeTimeout = HANDSHAKE_TIMEOUT } = options;
  // What throws for the options throws here, while the socket is as it was.
  checkLimit('handshakeTimeout', handshakeTimeout);
  resolveSocketOptions(options);
  if (plain instanceof Reader) plain.release();
  const upgraded = socketOver(connectionOf(socket).detach(), options, {
    type: 'tls',
    secure,
    explain,
    handshakeTimeout,
    target,
  });
  upgraded.name = socket.name;
  upgraded.mark = socket.mark;
  return upgraded;
}

// A server of its own that never listens: handing it the stream is the way Node documents.
function acceptSecurely(options: ServerUpgradeOptions, target: string) {
  const side = new ServerSide({ ...options, handshakeTimeout: 0 });
  return (stream: Duplex, tell: HandshakeHandlers): void => {
    const server = side.create({ pauseOnConnect: true });
    server.on('secureConnection', (secure) => tell.done(secure));
    server.on('tlsClientError', (cause, secure) => {
      const where = { phase: 'open', target, ...internetEndpoints(stream) } as const;
      tell.failed(explainAccepted(options)(cause, where, secure) ?? cause);
    });
    // As in `create`: else nobody would notice that the peer has left.
    stream.allowHalfOpen = false;
    server.emit('connection', stream);
  };
}
