// ALPN: the check of a list of protocols, and on a server how a function of the user chooses one.
import { typeError } from '@rxsock/core/internal';

/**
 * Chooses one of the protocols that a client offers; `undefined` refuses the client. It is not called for a client that
 * offers no protocols.
 */
export type AlpnChoice = (offer: {
  readonly servername: string;
  readonly protocols: readonly string[];
}) => string | undefined;

/**
 * Node's `ALPNCallback` for a function of the user. It fails closed: a function that throws, or chooses what was not
 * offered, refuses this one client.
 */
export function alpnCallback(choose: AlpnChoice) {
  return (offer: { servername: string; protocols: string[] }): string | undefined => {
    try {
      const chosen = choose(offer);
      return chosen !== undefined && offer.protocols.includes(chosen) ? chosen : undefined;
    } catch (error) {
      process.emitWarning(`The alpn function failed: ${error instanceof Error ? error.stack : error}`, {
        code: 'ERR_TLS_ALPN_CALLBACK',
      });
      return undefined;
    }
  };
}

/** Checks a list of protocols, as it goes over the wire: each name has 1 to 255 bytes. */
export function checkProtocols(protocols: unknown): void {
  const isName = (name: unknown) => typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= 255;
  if (Array.isArray(protocols) && protocols.length > 0 && protocols.every(isName)) return;
  throw typeError('alpn', "a list of protocol names, each of 1 to 255 bytes, as in ['h2', 'http/1.1']", protocols);
}
