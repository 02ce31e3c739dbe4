// Certificates for the tests of one file: an authority that is trusted, a stranger that is not, and what they signed.
import { certificateAuthority } from '../../../../tests/support/certificates.js';

const [authority, stranger] = await Promise.all([certificateAuthority(), certificateAuthority()]);

/** PEM of the authorities. */
export const ca = authority.cert;
export const strangersCa = stranger.cert;

const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000);

export const [localhost, renewed, other, wild, expired, strangers, joe, strangersJoe] = await Promise.all([
  authority.issue({ names: ['localhost', '127.0.0.1', '::1'] }),
  authority.issue({ names: ['localhost', '127.0.0.1', '::1', 'renewed.test'] }),
  authority.issue({ names: ['other.test'] }),
  authority.issue({ names: ['*.wild.test'] }),
  authority.issue({ names: ['localhost', '127.0.0.1'], notAfter: yesterday }),
  stranger.issue({ names: ['localhost', '127.0.0.1'] }),
  authority.issue({ names: ['joe'], client: true }),
  stranger.issue({ names: ['joe'], client: true }),
]);

/** Both versions that are in use. */
export const versions = ['TLSv1.2', 'TLSv1.3'] as const;
export type Version = (typeof versions)[number];
