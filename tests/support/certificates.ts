// Certificates made for one test run: an authority that no other program trusts, and the certificates it signs.
import { isIP } from 'node:net';
import { generate } from 'selfsigned';

/** A key and its certificate, as PEM. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

/** The content of a certificate. */
interface CertificateOptions {
  /** The DNS names and addresses for which it is valid. The first is also its common name. */
  readonly names: readonly [string, ...string[]];
  /** When it expires; in the past for an expired one. Default: in a day. */
  readonly notAfter?: Date;
  /** Makes it a client certificate in place of a server certificate. */
  readonly client?: boolean;
}

/** An authority. Clients that should trust it get `cert`. */
export interface CertificateAuthority {
  readonly cert: string;
  /** Signs a certificate with a new key. */
  issue(options: CertificateOptions): Promise<KeyPair>;
}

const day = 24 * 60 * 60 * 1000;
const elliptic = { keyType: 'ec', algorithm: 'sha256' } as const;

let made = 0;

/** Makes an authority with its own key and name, so that an untrusted authority is unknown, not forged. */
export async function certificateAuthority(): Promise<CertificateAuthority> {
  const name = `rxsock tests ${process.pid}.${++made}`;
  const authority = await generate([{ name: 'commonName', value: name }], {
    ...elliptic,
    ...validUntil(new Date(Date.now() + day)),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const ca = { key: authority.private, cert: authority.cert };
  return {
    cert: ca.cert,
    async issue({ names, notAfter = new Date(Date.now() + day), client = false }) {
      const leaf = await generate([{ name: 'commonName', value: names[0] }], {
        ...elliptic,
        ...validUntil(notAfter),
        ca,
        extensions: [
          { name: 'basicConstraints', cA: false, critical: true },
          { name: 'keyUsage', digitalSignature: true, critical: true },
          { name: 'extKeyUsage', serverAuth: !client, clientAuth: client },
          { name: 'subjectAltName', altNames: names.map(altName) },
        ],
      });
      return { key: leaf.private, cert: leaf.cert };
    },
  };
}

/** Valid for two days before the given time, so that a clock that is a little off does no harm. */
function validUntil(notAfterDate: Date) {
  return { notBeforeDate: new Date(notAfterDate.getTime() - 2 * day), notAfterDate };
}

function altName(name: string) {
  return isIP(name) ? ({ type: 7, ip: name } as const) : ({ type: 2, value: name } as const);
}
