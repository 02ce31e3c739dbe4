// The `secureConnect` event of a TLS stream: what its handshake agreed on.
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { SecureConnectEvent } from '../base/events.js';

/** Returns `undefined` for a stream that is not a `tls.TLSSocket`. */
export function secureConnectEvent(stream: Duplex): SecureConnectEvent | undefined {
  if (!('encrypted' in stream)) return undefined;
  const secure = stream as TLSSocket;
  // Protocol, cipher and certificate are gone if the stream was destroyed in the meantime.
  return {
    type: 'secureConnect',
    protocol: secure.getProtocol() ?? undefined,
    cipher: secure.getCipher()?.standardName,
    alpn: secure.alpnProtocol || undefined,
    authorized: secure.authorized,
    peer: secure.getPeerX509Certificate(),
  };
}
