// Shared by the tests over TLS: certificates in files, as other programs want them, and versions.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { certificateAuthority, type KeyPair } from '../support/certificates.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A key and its certificate, and the files that contain them. */
export interface KeyFiles extends KeyPair {
  readonly keyFile: string;
  readonly certFile: string;
}

export interface CertificateFiles extends AsyncDisposable {
  /** The authority that has signed all of them. */
  readonly ca: string;
  readonly caFile: string;
  /** An authority that has signed none of them. */
  readonly stranger: string;
  readonly strangerFile: string;
  /** For localhost and 127.0.0.1. */
  readonly server: KeyFiles;
  readonly expired: KeyFiles;
  /** For other.test. */
  readonly other: KeyFiles;
  /** For the client joe. */
  readonly client: KeyFiles;
}

/** Makes new ones, in a folder that is removed with them. */
export async function certificateFiles(): Promise<CertificateFiles> {
  const folder = await temporaryFolder();
  const write = async (name: string, text: string) => {
    const file = path.join(folder.path, name);
    await writeFile(file, text);
    return file;
  };
  const authority = await certificateAuthority();
  const untrustedAuthority = await certificateAuthority();
  const issue = async (name: string, options: Parameters<typeof authority.issue>[0]): Promise<KeyFiles> => {
    const pair = await authority.issue(options);
    return { ...pair, keyFile: await write(`${name}.key`, pair.key), certFile: await write(`${name}.crt`, pair.cert) };
  };
  const names = ['localhost', '127.0.0.1'] as const;
  return {
    ca: authority.cert,
    caFile: await write('ca.crt', authority.cert),
    stranger: untrustedAuthority.cert,
    strangerFile: await write('stranger.crt', untrustedAuthority.cert),
    server: await issue('server', { names }),
    expired: await issue('expired', { names, notAfter: new Date(Date.now() - 60_000) }),
    other: await issue('other', { names: ['other.test'] }),
    client: await issue('client', { names: ['joe'], client: true }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

export const versions = ['TLSv1.2', 'TLSv1.3'] as const;

/** The option that limits OpenSSL to one version. */
export const opensslFlag = (version: string) => (version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3');
