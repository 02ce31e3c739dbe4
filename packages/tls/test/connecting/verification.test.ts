// Whose certificate it must be, and who must have signed it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { connect, createSecureContext, listen, systemCertificates, upgrade } from '@rxsock/tls';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import * as identities from '../support/identities.js';
import { ca, expired, localhost, other, strangers, strangersCa, versions, wild } from '../support/identities.js';
import { dial, nodeServer, plainPair } from '../support/peers.js';

const selfSigned = await import('../../../../tests/support/certificate.js');

const names = [undefined, 'localhost'];

/** How a handshake ends: whether the server is authorized, or the error. */
function outcome(options: Parameters<typeof dial>[0]): Promise<unknown> {
  const socket = dial(options);
  return new Promise((resolve) => {
    socket.subscribe({
      next: (event) => event.type === 'secureConnect' && resolve({ authorized: event.authorized }),
      error: resolve,
    });
  });
}

describe.each(versions)('%s', (version) => {
  it.each([
    ['has expired', expired, { ca }, 'CERT_HAS_EXPIRED', 'certificate has expired'],
    [
      'a stranger has signed',
      strangers,
      { ca },
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'unable to verify the first certificate',
    ],
    [
      'has signed itself',
      selfSigned,
      { ca, host: 'localhost', family: 4 },
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'self-signed certificate',
    ],
    ['is for another name', other, { ca }, 'ERR_TLS_CERT_ALTNAME_INVALID', "IP: 127.0.0.1 is not in the cert's list"],
    [
      'is for another address',
      wild,
      { ca, host: 'localhost', family: 4 },
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'localhost. is not in the cert',
    ],
    ['nobody here knows the authority of', localhost, { ca: undefined }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', ''],
  ] as const)('refuses a certificate that %s', async (_, identity, options, code, words) => {
    const server = await nodeServer({ ...identity, maxVersion: version });
    const socket = dial({ port: server.port, ...options });
    const { log, values, ended } = record(socket);
    const written = socket.write('a secret');
    const { error } = await ended;
    expect(error).toMatchObject({ name: 'CertificateError', code, phase: 'open', remote: { port: server.port } });
    const { message, cause } = error as Error;
    expect(message).toContain(
      `The certificate of ${'host' in options ? options.host : '127.0.0.1'}:${server.port} was refused: `,
    );
    expect(message).toContain(words);
    expect(cause).toBeInstanceOf(Error);
    expect(log.filter((type) => !/^(lookup|connectionA)/.test(type))).toEqual(['connect', 'close', `error:${code}`]);
    expect(values.at(-1)).toMatchObject({ report: { how: 'error', bytesWritten: 0, duration: 0 } });
    await expect(written).rejects.toBe(error);
  });

  it('verifies by the host, a name or an address', async () => {
    const server = await nodeServer({ maxVersion: version });
    expect(await outcome({ port: server.port })).toEqual({ authorized: true });
    expect(await outcome({ port: server.port, host: 'localhost', family: 4 })).toEqual({ authorized: true });
  });

  it('verify: false takes any certificate, and says that it is not authorized', async () => {
    const server = await nodeServer({ ...expired, maxVersion: version });
    expect(await outcome({ port: server.port, verify: false })).toEqual({ authorized: false });
    expect(await outcome({ port: server.port, verify: true })).toMatchObject({ code: 'CERT_HAS_EXPIRED' });
  });

  it('asks for servername and verifies by it', async () => {
    const asked: (string | false | null)[] = [];
    const server = await nodeServer({ ...other, maxVersion: version });
    server.server.on('secureConnection', ({ servername }) => asked.push(servername));
    expect(await outcome({ port: server.port, servername: 'other.test' })).toEqual({ authorized: true });
    expect(await outcome({ port: server.port, servername: 'localhost' })).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    await expect.poll(() => asked[0]).toBe('other.test');
  });

  it('verifies by verifyHost where a tunnel leads to another host, and asks for that name', async () => {
    const asked: (string | false | null)[] = [];
    const server = await nodeServer({ ...other, maxVersion: version });
    server.server.on('secureConnection', ({ servername }) => asked.push(servername));
    expect(await outcome({ port: server.port, verifyHost: 'other.test' })).toEqual({ authorized: true });
    expect(await outcome({ port: server.port, verifyHost: 'other.test', servername: 'front.test' })).toEqual({
      authorized: true,
    });
    expect(await outcome({ port: server.port, verifyHost: 'front.test', servername: 'other.test' })).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    await expect.poll(() => asked.slice(0, 2)).toEqual(['other.test', 'front.test']);
  });

  it('does not ask for an address, which is no name', async () => {
    const asked: (string | false | null)[] = [];
    const server = await nodeServer({ maxVersion: version });
    server.server.on('secureConnection', ({ servername }) => asked.push(servername));
    expect(await outcome({ port: server.port, verifyHost: '127.0.0.1' })).toEqual({ authorized: true });
    expect(await outcome({ port: server.port, host: 'localhost', family: 4, verifyHost: '127.0.0.2' })).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    await expect.poll(() => asked[0]).toBe(false);
  });

  it.each([
    ['PEM', ca],
    ['PEM of several', `${strangersCa}\n${ca}`],
    ['a buffer', Buffer.from(ca)],
    ['a list', [strangersCa, ca]],
    ['a list of buffers', [Buffer.from(strangersCa), Buffer.from(ca)]],
    ["Node's own and ours", [...tls.rootCertificates, ca]],
  ])('takes authorities as %s', async (_, list) => {
    const server = await nodeServer({ maxVersion: version });
    expect(await outcome({ port: server.port, ca: list })).toEqual({ authorized: true });
  });

  it.each([
    ['another one', strangersCa],
    ["Node's own", [...tls.rootCertificates]],
    ['none', []],
  ])('trusts no others: %s', async (_, list) => {
    const server = await nodeServer({ maxVersion: version });
    expect(await outcome({ port: server.port, ca: list })).toMatchObject({ name: 'CertificateError' });
  });
});

describe('systemCertificates()', () => {
  afterEach(() => vi.unstubAllEnvs());

  async function file(text: string): Promise<string> {
    const folder = await mkdtemp(path.join(tmpdir(), 'rxsock-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(path.join(folder, 'bundle.pem'), text);
    return path.join(folder, 'bundle.pem');
  }

  it('gives those of the file that SSL_CERT_FILE names, each by itself', async () => {
    vi.stubEnv('SSL_CERT_FILE', await file(`# a comment\n${ca}\n# another\n${strangersCa}`));
    expect(systemCertificates().map((pem) => pem.trim())).toEqual([ca.trim(), strangersCa.trim()]);
    const server = await nodeServer();
    expect(await outcome({ port: server.port, ca: systemCertificates() })).toEqual({ authorized: true });
  });

  it('throws where there is none: an empty list trusts nobody', async () => {
    vi.stubEnv('SSL_CERT_FILE', await file('nothing'));
    expect(() => systemCertificates()).toThrow(
      'No certificates of the system were found: name a file of them in SSL_CERT_FILE',
    );
    vi.stubEnv('SSL_CERT_FILE', '/nowhere/at/all.pem');
    expect(() => systemCertificates()).toThrow(/ENOENT/);
  });
});

describe('what only looks like verify: false', () => {
  const impostors = [0, null, '', 'false', 'no', Number.NaN, [], {}, () => false, new Boolean(false)];

  it.each(impostors)('%j is refused by connect, listen and upgrade', async (impostor) => {
    const verify = impostor as boolean;
    const says = /^verify must be true or false, and only false turns verification off, not /;
    expect(() => connect({ port: 1, verify })).toThrow(TypeError);
    expect(() => connect({ port: 1, verify })).toThrow(says);
    expect(() => listen({ ...localhost, verify })).toThrow(says);
    const { plain } = await plainPair('dialled');
    expect(() => upgrade(plain, { servername: 'localhost', verify })).toThrow(says);
    expect(() => upgrade(plain, { ...localhost, isServer: true, verify })).toThrow(says);
    expect(plain.readyState).toBe('open');
  });

  it('undefined is the default', async () => {
    const server = await nodeServer({ ...expired });
    expect(await outcome({ port: server.port, verify: undefined as never })).toMatchObject({
      code: 'CERT_HAS_EXPIRED',
    });
  });
});

it.each(names)('an empty name to verify by is none: servername %s', (servername) => {
  expect(() => connect({ port: 1, host: '', ...(servername && { servername: '' }) })).toThrow(
    'There is no name to verify the certificate by: give servername or verifyHost, or verify: false',
  );
});

it('a context and what belongs into it cannot both be given', () => {
  const context = createSecureContext({ ca });
  for (const extra of [
    { ca },
    { cert: 'c' },
    { key: 'k' },
    { pfx: 'p' },
    { crl: 'c' },
    { ciphers: 'c' },
    { minVersion: 'TLSv1.3' },
    { maxVersion: 'TLSv1.3' },
  ]) {
    expect(() => connect({ port: 1, context, ...(extra as { ca: string }) })).toThrow(
      'Give certificates, keys and versions to createSecureContext(), or here, not both',
    );
  }
});

it('keys and certificates that do not fit throw at the call', () => {
  expect(() => connect({ port: 1, key: localhost.key, cert: other.cert })).toThrow(/key values mismatch/);
  expect(() => listen({ key: localhost.key, cert: identities.other.cert })).toThrow(/key values mismatch/);
  expect(() => listen({} as never)).toThrow('A TLS server needs key and cert, or pfx');
  expect(() => listen({ key: localhost.key })).toThrow(TypeError);
  expect(() => listen({ ...localhost, sni: { 'x.test': { key: localhost.key, cert: other.cert } } })).toThrow(
    /mismatch/,
  );
  expect(() => createSecureContext({ cert: 'nonsense' })).toThrow();
});

it('verify: false does not call a certificate for another name authorized', async () => {
  const { port } = await nodeServer();
  const asked = (servername: string) => outcome({ port, servername, verify: false });
  expect(await asked('localhost')).toEqual({ authorized: true });
  expect(await asked('other.test')).toEqual({ authorized: false });
});
