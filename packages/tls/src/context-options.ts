// Certificates, keys and versions: the options of both sides, and their checks.
import * as tls from 'node:tls';
import { inspect } from 'node:util';
import { SocketError } from '@rxsock/core';
import { checkOneOf, checkString, typeError } from '@rxsock/core/internal';

/**
 * Certificates, keys and versions, for either side. All are PEM, in strings or buffers; `pfx` is a PKCS #12 file in a
 * buffer.
 * @see https://nodejs.org/api/tls.html#tlscreatesecurecontextoptions
 */
export interface SecureContextOptions
  extends Pick<tls.SecureContextOptions, 'cert' | 'key' | 'passphrase' | 'pfx' | 'crl' | 'ciphers'> {
  /**
   * The certificates of the authorities to trust, instead of the default ones. To add one to Node's list, give
   * `[...tls.rootCertificates, mine]`; for the authorities of the operating system, see {@link systemCertificates}.
   * @defaultValue Node's own list, and the certificates in `NODE_EXTRA_CA_CERTS`
   */
  readonly ca?: tls.SecureContextOptions['ca'] | undefined;
  /**
   * The signature algorithms to use and to accept, with colons between them, the preferred one first:
   * `'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256'`.
   * @defaultValue OpenSSL's list
   */
  readonly sigalgs?: string | undefined;
  /**
   * The groups to agree on a key with, also those that are not curves, with colons between them, the preferred one
   * first: `'X25519MLKEM768:X25519:P-256'`. Node 20 has no `X25519MLKEM768`. In TLS 1.2 the curve of an ECDSA certificate
   * must be in the list too.
   * @defaultValue `tls.DEFAULT_ECDH_CURVE`: OpenSSL's list
   */
  readonly ecdhCurve?: string | undefined;
  /** The oldest version of TLS to accept. @defaultValue Node's: `'TLSv1.2'` */
  readonly minVersion?: tls.SecureVersion | undefined;
  /** The newest version of TLS to accept. @defaultValue Node's: `'TLSv1.3'` */
  readonly maxVersion?: tls.SecureVersion | undefined;
}

const CREDENTIALS = ['ca', 'cert', 'key', 'pfx', 'crl'] as const;
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

/**
 * Checks the options. Node ignores some wrong ones, for example an empty `crl`, and then accepts more than it should.
 */
export function checkContextOptions(options: SecureContextOptions): void {
  const { passphrase, ciphers, sigalgs, ecdhCurve, minVersion, maxVersion, ca } = options;
  for (const name of CREDENTIALS) if (options[name] !== undefined) checkCredential(name, options[name]);
  checkAuthorities(ca);
  // The message does not show the value, which may be a secret.
  if (passphrase !== undefined && typeof passphrase !== 'string')
    throw new TypeError(`passphrase must be a string, not ${passphrase === null ? null : typeof passphrase}`);
  if (ciphers !== undefined) checkString('ciphers', ciphers, 'a list of ciphers as OpenSSL takes it');
  if (sigalgs !== undefined) checkNames('sigalgs', sigalgs);
  if (ecdhCurve !== undefined) checkNames('ecdhCurve', ecdhCurve);
  for (const [name, version] of Object.entries({ minVersion, maxVersion }))
    if (version !== undefined) checkOneOf(name, version, VERSIONS);
}

/**
 * Creates Node's context. For an algorithm or a group that OpenSSL does not have, Node's own error has no name, and
 * sometimes no code.
 */
export function createNodeContext(options: tls.SecureContextOptions): tls.SecureContext {
  try {
    return tls.createSecureContext(options);
  } catch (error) {
    for (const name of ['sigalgs', 'ecdhCurve'] as const) {
      const unknown = options[name]?.split(':').find((each) => !isKnown(name, each));
      if (unknown !== undefined) throw unsupported(name, unknown, error);
    }
    throw error;
  }
}

function isKnown(name: 'sigalgs' | 'ecdhCurve', value: string): boolean {
  try {
    // An empty `ca` saves the time to load the default authorities.
    return tls.createSecureContext({ ca: [], [name]: value }) !== undefined;
  } catch {
    return false;
  }
}

function unsupported(name: string, value: string, cause: unknown): SocketError {
  const { node, openssl } = process.versions;
  const message = `${name} must be names that Node ${node} with OpenSSL ${openssl} knows, not ${inspect(value)}`;
  return new SocketError(message, { code: 'ERR_OPTION_UNSUPPORTED', phase: 'open', cause });
}

// Node takes a list of spaces, and then no handshake succeeds.
function checkNames(name: string, value: unknown): void {
  const expected = 'a list of names with colons between them, and no spaces';
  checkString(name, value, expected);
  if (!/^[^\s:]+(?::[^\s:]+)*$/.test(value as string)) throw typeError(name, expected, value);
}

/**
 * Throws a TypeError unless a value can be a certificate or a key, or a list of them. Only `ca` may be an empty list.
 */
function checkCredential(name: (typeof CREDENTIALS)[number], value: unknown): void {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  // In a list, Node also takes a key or a pfx together with its passphrase: { pem, passphrase }, { buf, passphrase }.
  const takesObjects = Array.isArray(value) && (name === 'key' || name === 'pfx');
  const isValid = (part: unknown) => isBytes(part) || (takesObjects && typeof part === 'object' && part !== null);
  if (parts.every(isValid) && (parts.length > 0 || name === 'ca')) return;
  const wrong = parts.length === 0 ? value : parts.find((part) => !isValid(part));
  const expected = 'a string or a buffer that is not empty, or an array of them';
  throw new TypeError(`${name} must be ${expected}, not ${describe(wrong)}`);
}

function isBytes(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || (ArrayBuffer.isView(value) && value.byteLength > 0);
}

// Names the type only: the value may be a key.
function describe(value: unknown): string {
  if (value === '' || value === null || value === undefined) return inspect(value);
  return Array.isArray(value) && value.length === 0 ? 'an empty array' : `a value of type ${typeof value}`;
}

/** Throws a TypeError unless each `ca` is PEM. Node takes anything else for an empty list and then trusts nobody. */
function checkAuthorities(ca: tls.SecureContextOptions['ca']): void {
  for (const each of [ca].flat()) {
    if (each === undefined || Buffer.from(each as Uint8Array).includes('-----BEGIN ')) continue;
    const given = inspect(each.slice(0, 50));
    throw new TypeError(`ca must be PEM, in a string or a buffer, not ${given}: read the file, or convert it from DER`);
  }
}
