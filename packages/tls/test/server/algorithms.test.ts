// sigalgs and ecdhCurve: what is refused at the call, and what both sides agree on.
import { once } from 'node:events';
import type tls from 'node:tls';
import { connect as connectTcp, SocketError } from '@rxsock/core';
import { connect, createSecureContext, listen, type SecureContextOptions, upgrade } from '@rxsock/tls';
import { describe, expect, test } from 'vitest';
import { localhost, other, renewed } from '../support/identities.js';
import { dial, dropOf, nodeClient, nodeServer, secured, serverOf } from '../support/peers.js';

const ways: Record<string, (options: SecureContextOptions) => unknown> = {
  connect: (options) => connect({ port: 1, ...options }),
  listen: (options) => listen({ ...localhost, ...options }),
  createSecureContext,
  'upgrade of a client': (options) => upgrade(connectTcp({ port: 1 }), { servername: 'a', ...options }),
  'upgrade of a server': (options) => upgrade(connectTcp({ port: 1 }), { isServer: true, ...localhost, ...options }),
  setSecureContext: (options) => listen(localhost).setSecureContext({ ...localhost, ...options }),
};

describe.each(Object.entries(ways))('%s', (_, call) => {
  test.each([
    ['sigalgs', 'ecdsa_secp256r1_sha256:nonsense:RSA+SHA256', 'nonsense'],
    ['ecdhCurve', 'X25519:P-255', 'P-255'],
  ] as const)('refuses a name in %s that OpenSSL does not know, and names it', (name, list, unknown) => {
    const refusal = {
      code: 'ERR_OPTION_UNSUPPORTED',
      message: expect.stringMatching(`^${name} .*, not '${unknown}'$`),
    };
    let error: unknown;
    try {
      call({ [name]: list });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SocketError);
    expect(error).toMatchObject({ ...refusal, cause: expect.any(Error) });
  });
});

test('another mistake keeps its own error', () => {
  const options = { key: localhost.key, cert: other.cert, sigalgs: 'RSA+SHA256', ecdhCurve: 'X25519' };
  expect(() => listen(options)).toThrow(expect.objectContaining({ code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' }));
});

test('neither goes with a context, nor with one name of a server', () => {
  const context = createSecureContext();
  for (const options of [{ sigalgs: 'RSA+SHA256' }, { ecdhCurve: 'X25519' }]) {
    const [name] = Object.keys(options);
    expect(() => connect({ port: 1, context, ...options })).toThrow(`${name} cannot be given together with context`);
    const sni = { 'other.test': { ...other, ...options } };
    expect(() => listen({ ...localhost, sni })).toThrow(`The name other.test cannot have ${name} of its own`);
  }
});

/** The group that a Node client agrees on. Other versions of Node have other names for it. */
async function groupOf(port: number, options: tls.ConnectionOptions = {}): Promise<string | undefined> {
  const peer = nodeClient(port, options);
  await once(peer, 'secureConnect');
  return (peer.getEphemeralKeyInfo() as tls.EphemeralKeyInfo | null)?.name;
}

test('a server agrees on the groups of its list, also after its certificates were replaced', async () => {
  const { server, port } = await serverOf({ ecdhCurve: 'P-384', sni: { 'other.test': other } });
  expect(await groupOf(port)).toBe('secp384r1');
  expect(await groupOf(port, { servername: 'other.test', rejectUnauthorized: false })).toBe('secp384r1');
  expect(() => server.setSecureContext({ ...renewed, ecdhCurve: 'P-255' })).toThrow(SocketError);
  expect(await groupOf(port)).toBe('secp384r1');
  server.setSecureContext({ ...renewed, ecdhCurve: 'P-521' });
  expect(await groupOf(port)).toBe('secp521r1');
  server.setSecureContext(renewed);
  expect(await groupOf(port, { ecdhCurve: 'P-256' })).toBe('prime256v1');
});

// In TLS 1.3 only one signature fits the keys of our certificates. In TLS 1.2 only a list with their curve does.
test.each([
  ['ecdhCurve', 'P-384', 'P-256', 'TLSv1.3'],
  ['sigalgs', 'ECDSA+SHA384', 'ECDSA+SHA256', 'TLSv1.2'],
] as const)('a client and a server without a common %s fail, also under other names', async (...row) => {
  const [name, one, another, maxVersion] = row;
  const node = await nodeServer({ [name]: one, maxVersion });
  await expect(secured(dial({ port: node.port, [name]: another }))).rejects.toThrow();
  await secured(dial({ port: node.port, [name]: one, keepOpen: true }));
  const { server, port } = await serverOf({ [name]: one, maxVersion, sni: { 'other.test': other } });
  for (const servername of ['localhost', 'other.test']) {
    const dropped = dropOf(server);
    nodeClient(port, { [name]: another, servername, rejectUnauthorized: false });
    expect(await dropped).toMatchObject({ reason: 'handshake', error: { code: 'ERR_TLS_HANDSHAKE' } });
    await once(nodeClient(port, { [name]: one, servername, rejectUnauthorized: false }), 'secureConnect');
  }
});

test('a group that only a newer OpenSSL has is used there, and refused elsewhere', async () => {
  const ecdhCurve = 'X25519MLKEM768';
  if (Number.parseInt(process.versions.openssl, 10) > 3 || /^3\.([5-9]|\d\d)/.test(process.versions.openssl)) {
    const { port } = await serverOf({ ecdhCurve });
    await secured(dial({ port, ecdhCurve, keepOpen: true }));
  } else {
    expect(() => connect({ port: 1, ecdhCurve })).toThrow(/Node 2\d.* with OpenSSL 3\..*'X25519MLKEM768'/);
  }
});
