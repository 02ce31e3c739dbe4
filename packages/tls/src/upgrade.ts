// upgrade(): TLS over a connection that began without it, as for STARTTLS.
import { formatEndpoint, Reader, type Socket, type SocketOptions } from '@rxsock/core';
import { checkBoolean, checkOptions, controlOf, resolveSocketOptions, socketOver } from '@rxsock/core/internal';
import { type ClientOptions, clientHandshake } from './client-handshake.js';
import { explainTlsError } from './errors.js';
import { resolveHandshakeTimeout } from './handshake.js';
import { serverHandshake } from './server-handshake.js';
import type { ServerOptions } from './server-options.js';

/** Options of {@link upgrade} for a client. It needs `servername` or `verifyHost`, unless `verify` is `false`. */
export interface ClientUpgradeOptions extends SocketOptions, ClientOptions {
  /** This side is the client of the handshake. @defaultValue `false` */
  readonly isServer?: false | undefined;
}

/** Options of {@link upgrade} for a server. It needs `key` and `cert`, or `pfx`. */
export interface ServerUpgradeOptions extends SocketOptions, ServerOptions {
  /** This side is the server of the handshake. */
  readonly isServer: true;
}

/** Options of {@link upgrade}. */
export type UpgradeOptions = ClientUpgradeOptions | ServerUpgradeOptions;

/**
 * Starts TLS on an open connection, as STARTTLS does. The plain socket emits `close`, whose report says
 * `how: 'upgraded'`, and completes. The new socket starts the handshake at once, and sends what you write after it. It
 * takes over `name` and `mark`; all other options are its own.
 *
 * Give it the reader that read the last plain line, or the socket itself once nothing reads it any more. Bytes that
 * arrived before the handshake may come from an attacker, so the upgrade throws if any of them are left.
 *
 * If a server accepted the plain socket, `close()` of that server still waits for the connection, and aborts it after
 * `drain` milliseconds.
 *
 * **Half-close**: as for {@link connect}. Over a socket that is itself TLS, a stream that was cut looks like one that
 * ended.
 *
 * **Backpressure**: as for {@link connect}.
 *
 * @param plain An open socket without readers, or its reader, which is then released.
 * @param options The side of the handshake, its certificates, and the options of the new socket. Times are in
 * milliseconds, sizes in bytes.
 * @returns The new socket, in the state `securing`.
 * @throws At the call: {@link SocketError} with `ERR_PLAINTEXT_LEFT` for plain bytes that are left over,
 * `ERR_READER_EXISTS` while something reads the socket, `ERR_WRITES_PENDING` while bytes wait to be written, or
 * `ERR_SOCKET_NOT_OPEN`; {@link TypeError}, {@link RangeError} or Node's own error for the options, as for
 * {@link connect} and {@link listen}. The plain socket loses no bytes. It stays open, but a
 * reader is released, and a socket that nothing uses any more closes. In a `complete` handler the subscription that
 * completes still counts as a reader: upgrade in the next turn, or after an `await`.
 * @throws As a notification: those of {@link connect}, without {@link ConnectError}; for a server also
 * {@link CertificateError} `ERR_TLS_CERTIFICATE_REQUIRED`.
 * @see RFC 3207, sections 4.2 and 5
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
  const control = controlOf(socket);
  checkOptions(options, "{ servername: 'mail.example.com' }");
  const { isServer = false } = options;
  checkBoolean('isServer', isServer);
  const target = nameOfPeer(socket);
  // What throws for the options throws here, before the plain socket changes.
  const secure = options.isServer ? serverHandshake(options, target) : clientHandshake(options, { target });
  const handshakeTimeout = resolveHandshakeTimeout(options);
  resolveSocketOptions(options);
  if (plain instanceof Reader) plain.release();
  // A UNIX socket has paths, which its stream does not know.
  const { local, remote, name, mark } = socket;
  return control.detach((stream) => {
    const upgraded = socketOver(stream, options, {
      type: 'tls',
      role: isServer ? 'server' : 'client',
      secure,
      explain: explainTlsError,
      handshakeTimeout,
      target,
      endpoints: () => ({ local, remote }),
    });
    upgraded.name = name;
    upgraded.mark = mark;
    return upgraded;
  });
}

// An accepted UNIX socket has no path for its peer; its own path, that of the server, says more.
function nameOfPeer({ remote, local }: Socket): string {
  return (remote && formatEndpoint(remote)) || (local && formatEndpoint(local)) || 'an unknown address';
}
