// Which certificate a server presents to which client: its own, or that of the name the client asks for (SNI).

import { constants } from 'node:crypto';
import type * as tls from 'node:tls';
import { checkHost, checkObject, typeError } from '@rxsock/core/internal';
import { checkContextOptions, createNodeContext, type SecureContextOptions } from './context-options.js';
import type { NameOptions, ServerIdentity } from './server-options.js';

/** A {@link ServerIdentity} that was checked and parsed. */
export interface ResolvedIdentity {
  /** The server's own certificate, and what holds for all names. */
  readonly options: tls.SecureContextOptions;
  /** `undefined` for a name that has no certificate of its own. */
  contextFor(servername: string): tls.SecureContext | undefined;
}

/** A name that a client can ask for, or a wildcard: `*` matches one whole label, the first. */
const SNI_NAME = /^(?:\*|(?:\*\.)?[\w-]+(?:\.[\w-]+)*\.?)$/;

/** Returns a name as `contextFor` compares it: as A-labels, in lower case, without the dot at the end. */
function sniName(name: string): string {
  const host = checkHost('A name of sni', name);
  if (SNI_NAME.test(host)) return host.toLowerCase().replace(/\.$/, '');
  throw typeError('A name of sni', "a host name, or a wildcard such as '*.example.com': no client can match it", name);
}

/** Parses certificates and keys. Throws if they do not match. */
export function resolveIdentity(identity: ServerIdentity, requestCert: boolean): ResolvedIdentity {
  const { ca, cert, key, passphrase, pfx, crl, sni = {} } = identity;
  const { ciphers, sigalgs, ecdhCurve, minVersion, maxVersion } = identity;
  checkObject('sni', sni, "an object, as in { 'example.com': { key, cert } }");
  for (const [name, own] of Object.entries(sni)) checkObject(`sni['${name}']`, own, 'an object, as in { key, cert }');
  // A resumed session brings the client's certificate along and is not verified again. It would outlive the ca and crl
  // that accepted the client, and some versions of Node accept it under another name. So a server that requests
  // certificates issues no sessions.
  const shared = { ca, crl, ...(requestCert && { secureOptions: constants.SSL_OP_NO_TICKET }) };
  const options = { ...shared, cert, key, passphrase, pfx, ciphers, sigalgs, ecdhCurve, minVersion, maxVersion };
  // The server parses these again. They are parsed here so that the call throws if they do not match.
  createContext('A TLS server', options);
  const contexts = new Map(
    Object.entries(sni).map(([name, own]) => [
      sniName(name),
      createContext(`The name ${name}`, { ...shared, ...checkName(name, own) }),
    ]),
  );
  const contextFor = (servername: string) => {
    const name = servername.toLowerCase().replace(/\.$/, '');
    return contexts.get(name) ?? contexts.get(name.replace(/^[^.]+/, '*'));
  };
  return { options, contextFor };
}

const OF_THE_SERVER = ['ciphers', 'sigalgs', 'ecdhCurve', 'minVersion', 'maxVersion'] as const;

// TLS agrees on these before the server chooses the certificate: Node would ignore them here.
function checkName(name: string, options: SecureContextOptions): NameOptions {
  const extra = OF_THE_SERVER.find((each) => options[each] !== undefined);
  if (extra === undefined) return options;
  throw new TypeError(`The name ${name} cannot have ${extra} of its own: give it to the server, for all of its names`);
}

function createContext(owner: string, options: tls.SecureContextOptions): tls.SecureContext {
  checkContextOptions(options as SecureContextOptions);
  if (!options.pfx && !(options.key && options.cert)) throw new TypeError(`${owner} needs key and cert, or pfx`);
  return createNodeContext(options);
}
