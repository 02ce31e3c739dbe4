// Certificates for the tests of one file: a trusted authority, an untrusted one, and the certificates they signed.
import { certificateAuthority } from '../../../../tests/support/certificates.js';

const [authority, untrustedAuthority] = await Promise.all([certificateAuthority(), certificateAuthority()]);

/** PEM of the authorities. */
export const ca = authority.cert;
export const untrustedCa = untrustedAuthority.cert;

const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000);

export const [localhost, renewed, other, wildcard, expired, untrusted, joe, untrustedJoe] = await Promise.all([
  authority.issue({ names: ['localhost', '127.0.0.1', '::1'] }),
  authority.issue({ names: ['localhost', '127.0.0.1', '::1', 'renewed.test'] }),
  authority.issue({ names: ['other.test'] }),
  authority.issue({ names: ['*.wild.test'] }),
  authority.issue({ names: ['localhost', '127.0.0.1'], notAfter: yesterday }),
  untrustedAuthority.issue({ names: ['localhost', '127.0.0.1'] }),
  authority.issue({ names: ['joe'], client: true }),
  untrustedAuthority.issue({ names: ['joe'], client: true }),
]);

/** Both versions in use. */
export const versions = ['TLSv1.2', 'TLSv1.3'] as const;
export type Version = (typeof versions)[number];
