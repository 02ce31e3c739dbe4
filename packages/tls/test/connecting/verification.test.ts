// Which name a certificate must have, and which authority must have signed it.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import tls from 'node:tls';
import { connect, createSecureContext, listen, systemCertificates, upgrade } from '@rxsock/tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import * as identities from '../support/identities.js';
import { ca, expired, localhost, other, untrusted, untrustedCa, versions, wildcard } from '../support/identities.js';
import { dial, nodeServer, plainPair, started } from '../support/peers.js';

const selfSigned = await import('../../../../tests/support/certificate.js');

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
  test.each([
    ['has expired', expired, { ca }, 'CERT_HAS_EXPIRED', 'certificate has expired'],
    [
      'an untrusted authority has signed',
      untrusted,
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
      wildcard,
      { ca, host: 'localhost', family: 4 },
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'localhost. is not in the cert',
    ],
    ['an unknown authority has signed', localhost, { ca: undefined }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', ''],
  ] as const)('rejects a certificate that %s', async (_, identity, options, code, words) => {
    const server = await nodeServer({ ...identity, maxVersion: version });
    const socket = dial({ port: server.port, ...options });
    const { log, values, ended } = record(socket);
    const written = socket.write('a secret');
    const { error } = await ended;
    expect(error).toMatchObject({ name: 'CertificateError', code, phase: 'open', remote: { port: server.port } });
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'error' });
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

  test('verifies by the host, a name or an address', async () => {
    const server = await nodeServer({ maxVersion: version });
    expect(await outcome({ port: server.port })).toEqual({ authorized: true });
    expect(await outcome({ port: server.port, host: 'localhost', family: 4 })).toEqual({ authorized: true });
  });

  test('verify: false accepts any certificate and reports it as not authorized', async () => {
    const server = await nodeServer({ ...expired, maxVersion: version });
    expect(await outcome({ port: server.port, verify: false })).toEqual({ authorized: false });
    expect(await outcome({ port: server.port, verify: true })).toMatchObject({ code: 'CERT_HAS_EXPIRED' });
  });

  test('sends servername and verifies by it', async () => {
    const asked: (string | false | null)[] = [];
    const server = await nodeServer({ ...other, maxVersion: version });
    server.server.on('secureConnection', ({ servername }) => asked.push(servername));
    expect(await outcome({ port: server.port, servername: 'other.test' })).toEqual({ authorized: true });
    expect(await outcome({ port: server.port, servername: 'localhost' })).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    await expect.poll(() => asked[0]).toBe('other.test');
  });

  test('verifies by verifyHost, and sends it as the name, where a tunnel leads to another host', async () => {
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

  test('does not send an address as a server name', async () => {
    const asked: (string | false | null)[] = [];
    const server = await nodeServer({ maxVersion: version });
    server.server.on('secureConnection', ({ servername }) => asked.push(servername));
    expect(await outcome({ port: server.port, verifyHost: '127.0.0.1' })).toEqual({ authorized: true });
    expect(await outcome({ port: server.port, host: 'localhost', family: 4, verifyHost: '127.0.0.2' })).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    await expect.poll(() => asked[0]).toBe(false);
  });

  test.each([
    ['PEM', ca],
    ['PEM of several', `${untrustedCa}\n${ca}`],
    ['a buffer', Buffer.from(ca)],
    ['a list', [untrustedCa, ca]],
    ['a list of buffers', [Buffer.from(untrustedCa), Buffer.from(ca)]],
    ["Node's own and ours", [...tls.rootCertificates, ca]],
  ])('accepts authorities as %s', async (_, list) => {
    const server = await nodeServer({ maxVersion: version });
    expect(await outcome({ port: server.port, ca: list })).toEqual({ authorized: true });
  });

  test.each([
    ['another one', untrustedCa],
    ["Node's own", [...tls.rootCertificates]],
    ['none', []],
  ])('trusts no other authorities: %s', async (_, list) => {
    const server = await nodeServer({ maxVersion: version });
    expect(await outcome({ port: server.port, ca: list })).toMatchObject({ name: 'CertificateError' });
  });
});

describe('systemCertificates()', () => {
  afterEach(() => vi.unstubAllEnvs());

  async function file(text: string): Promise<string> {
    const folder = await testFolder();
    await writeFile(path.join(folder, 'bundle.pem'), text);
    return path.join(folder, 'bundle.pem');
  }

  test('returns the certificates of the file in SSL_CERT_FILE, one by one', async () => {
    vi.stubEnv('SSL_CERT_FILE', await file(`# a comment\n${ca}\n# another\n${untrustedCa}`));
    expect(systemCertificates().map((pem) => pem.trim())).toEqual([ca.trim(), untrustedCa.trim()]);
    const server = await nodeServer();
    expect(await outcome({ port: server.port, ca: systemCertificates() })).toEqual({ authorized: true });
  });

  test('throws if there is none: an empty list would trust nothing', async () => {
    vi.stubEnv('SSL_CERT_FILE', await file('nothing'));
    expect(() => systemCertificates()).toThrow(
      'The certificates of the system were not found: name their file in SSL_CERT_FILE',
    );
    vi.stubEnv('SSL_CERT_FILE', '/nowhere/at/all.pem');
    expect(() => systemCertificates()).toThrow(/ENOENT/);
  });
});

describe('a value that only resembles verify: false', () => {
  const lookalikes = [0, null, '', 'false', 'no', Number.NaN, [], {}, () => false, new Boolean(false)];

  test.each(lookalikes)('%j is rejected by connect, listen and upgrade', async (lookalike) => {
    const verify = lookalike as boolean;
    const says = /^verify must be true or false, not /;
    expect(() => connect({ port: 1, verify })).toThrow(TypeError);
    expect(() => connect({ port: 1, verify })).toThrow(says);
    expect(() => listen({ ...localhost, verify })).toThrow(says);
    const { plain } = await plainPair('dialled');
    expect(() => upgrade(plain, { servername: 'localhost', verify })).toThrow(says);
    expect(() => upgrade(plain, { ...localhost, isServer: true, verify })).toThrow(says);
    expect(plain.readyState).toBe('open');
  });

  test('undefined is the default', async () => {
    const server = await nodeServer({ ...expired });
    expect(await outcome({ port: server.port, verify: undefined as never })).toMatchObject({
      code: 'CERT_HAS_EXPIRED',
    });
  });
});

test.each(['host', 'servername', 'verifyHost'])('rejects an empty %s, which no certificate is for', (name) => {
  const refused = new RegExp(`^${name} must be a (host )?name( or an address)?, not ''$`);
  expect(() => connect({ port: 1, [name]: '' })).toThrow(TypeError);
  expect(() => connect({ port: 1, [name]: '' })).toThrow(refused);
});

test('rejects a context together with options that belong into it', () => {
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
      `${Object.keys(extra)} cannot be given together with context: give it to createSecureContext() instead`,
    );
  }
});

test('a message puts the IPv6 address of the peer in brackets', async () => {
  const { port } = await started(listen({ ...expired, host: '::1' }));
  const { error } = await record(dial({ host: '::1', port })).ended;
  expect((error as Error).message).toContain(`The certificate of [::1]:${port} was refused: `);
});

test('keys and certificates that do not match throw at the call', () => {
  expect(() => connect({ port: 1, key: localhost.key, cert: other.cert })).toThrow(/key values mismatch/);
  expect(() => listen({ key: localhost.key, cert: identities.other.cert })).toThrow(/key values mismatch/);
  expect(() => listen({} as never)).toThrow('A TLS server needs key and cert, or pfx');
  expect(() => listen({ key: localhost.key })).toThrow(TypeError);
  expect(() => listen({ ...localhost, sni: { 'x.test': { key: localhost.key, cert: other.cert } } })).toThrow(
    /mismatch/,
  );
  expect(() => createSecureContext({ cert: 'nonsense' })).toThrow();
});

test('verify: false does not report a certificate for another name as authorized', async () => {
  const { port } = await nodeServer();
  const asked = (servername: string) => outcome({ port, servername, verify: false });
  expect(await asked('localhost')).toEqual({ authorized: true });
  expect(await asked('other.test')).toEqual({ authorized: false });
});
