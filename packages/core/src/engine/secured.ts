// What a TLS handshake agreed on, as the event that tells it.
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { SecureConnectEvent } from '../base/events.js';

/** The event of a stream that is a `tls.TLSSocket`; `undefined` for any other. */
export function securedBy(stream: Duplex): SecureConnectEvent | undefined {
  if (!('encrypted' in stream)) return undefined;
  const secure = stream as TLSSocket;
  // All three are gone with the handle of a stream that was destroyed meanwhile.
  return {
    type: 'secureConnect',
    protocol: secure.getProtocol() ?? undefined,
    cipher: secure.getCipher()?.standardName,
    alpn: secure.alpnProtocol || undefined,
    authorized: secure.authorized,
    peer: secure.getPeerX509Certificate(),
  };
}
