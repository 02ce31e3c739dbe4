// systemCertificates(): the authorities that the operating system trusts. Node by default trusts only its own list.
import { existsSync, readFileSync } from 'node:fs';
import tls from 'node:tls';

/** The files in which systems keep all of their certificates. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Arch
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/etc/ssl/cert.pem', // Alpine, macOS, the BSDs
];

/**
 * Returns the certificates of the authorities that the operating system trusts, including those that its administrator
 * added.
 *
 * If `SSL_CERT_FILE` is set, they come from the file that it names. Otherwise Node 22.15 and later ask the system;
 * older versions read the file of the Linux distribution, of macOS or of the BSD.
 *
 * @returns One PEM text a certificate, for the option `ca`.
 * @throws At the call: {@link Error} if there is no such file or it holds no certificate, because an empty list would
 * trust nobody; Node's own error (`ENOENT`, `EACCES`) for a file that cannot be read.
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
    'The certificates of the system were not found: name their file in SSL_CERT_FILE, or give the option ca yourself',
  );
}
