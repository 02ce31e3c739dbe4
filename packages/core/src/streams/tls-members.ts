// The members of tls.TLSSocket that libraries expect of an encrypted connection.
import type { TLSSocket } from 'node:tls';
import type { SecureConnectEvent } from '../base/events.js';

/** The members of `tls.TLSSocket` that a stream over TLS has. */
type TlsMember =
  | 'alpnProtocol'
  | 'authorized'
  | 'encrypted'
  | 'getCipher'
  | 'getPeerCertificate'
  | 'getPeerX509Certificate'
  | 'getProtocol';

/** Adds the members to a stream. Before the handshake is done they are empty, as in Node. */
export class TlsMembers {
  /** What the handshake agreed on. */
  #secured: SecureConnectEvent | undefined;

  constructor(stream: object) {
    const secured = () => this.#secured;
    const members = {
      encrypted: true,
      get alpnProtocol() {
        return secured()?.alpn ?? false;
      },
      get authorized() {
        return secured()?.authorized ?? false;
      },
      get secureConnecting() {
        return !secured();
      },
      // The name that OpenSSL gives the cipher is not known here.
      getCipher: () => ({ name: secured()?.cipher, standardName: secured()?.cipher, version: secured()?.protocol }),
      getPeerCertificate: () => secured()?.peer?.toLegacyObject() ?? {},
      getPeerX509Certificate: () => secured()?.peer,
      getProtocol: () => secured()?.protocol ?? null,
    } satisfies Record<TlsMember | 'secureConnecting', unknown>;
    Object.defineProperties(stream, Object.getOwnPropertyDescriptors(members));
  }

  secured(event: SecureConnectEvent): void {
    this.#secured = event;
  }
}

/** The members, for the type of a stream. A stream that is not over TLS has none of them. */
export type TlsStream = Partial<Pick<TLSSocket, TlsMember>>;
