// systemCertificates(): whom the system trusts, where Node would only trust its own list.
import { existsSync, readFileSync } from 'node:fs';
import tls from 'node:tls';

/** Where systems keep them, in one file. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Arch
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/etc/ssl/cert.pem', // Alpine, macOS, the BSDs
];

/**
 * The certificates of the authorities that the system trusts, as PEM: those of its administrator included. From Node 22.15
 * on Node reads them by itself; before, this reads the file that `SSL_CERT_FILE` names, or else that of the distribution.
 *
 * @throws Error where there is none, for an empty list would trust nobody.
 * @see https://nodejs.org/api/tls.html#tlsgetcacertificatestype
 *
 * @example
 * ```ts
 * import { connect, systemCertificates } from '@rxsock/tls';
 *
 * connect({ host: 'intranet', port: 443, ca: systemCertificates() }).subscribe();
 * ```
 */
export function systemCertificates(): string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'system') => string[] };
  const { SSL_CERT_FILE } = process.env;
  if (getCACertificates && !SSL_CERT_FILE) return getCACertificates('system');
  const file = SSL_CERT_FILE ?? BUNDLES.find((path) => existsSync(path));
  const found = file && readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs);
  if (found) return found;
  throw new Error(
    'No certificates of the system were found: name a file of them in SSL_CERT_FILE, or give ca yourself',
  );
}
