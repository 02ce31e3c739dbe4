// Mutual TLS: which clients are asked for a certificate, which are accepted, and what the others see.
import { X509Certificate } from 'node:crypto';
import { data, on, type SecureConnectEvent, serve, through } from '@rxsock/core';
import { createSecureContext, listen } from '@rxsock/tls';
import { firstValueFrom, lastValueFrom, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { ca, joe, localhost, other, untrustedCa, untrustedJoe, versions } from '../support/identities.js';
import { dial, drained, dropOf, nextOf, nodeClient, nodeServer, serverOf } from '../support/peers.js';

const mutual = { requestCert: true, ca } as const;

describe.each(versions)('%s', (version) => {
  test('accepts a client that its authority has signed, and reports its certificate', async () => {
    const { server, port } = await serverOf({ ...mutual, maxVersion: version });
    nodeClient(port, joe);
    const socket = await nextOf(server);
    expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({
      authorized: true,
      peer: { subject: 'CN=joe' },
    });
  });

  test.each([
    ['no certificate', {}, 'PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    ['a certificate that an untrusted authority has signed', untrustedJoe, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['a certificate that is not for clients', localhost, 'INVALID_PURPOSE'],
  ])('rejects a client with %s, and serves the next', async (_, identity, code) => {
    const { server, port, events } = await serverOf({ ...mutual, maxVersion: version });
    const dropped = dropOf(server);
    const peer = nodeClient(port, identity);
    const theirs = drained(peer);
    const drop = await dropped;
    expect(drop).toMatchObject({ reason: 'handshake', remote: { address: '127.0.0.1', port: expect.any(Number) } });
    expect(drop.error?.remote).toEqual(drop.remote);
    expect({ name: drop.error?.name, code: drop.error?.code, phase: drop.error?.phase }).toEqual(
      code === 'PEER_DID_NOT_RETURN_A_CERTIFICATE'
        ? { name: 'CertificateError', code: 'ERR_TLS_CERTIFICATE_REQUIRED', phase: 'open' }
        : { name: 'CertificateError', code, phase: 'open' },
    );
    await theirs;
    nodeClient(port, joe);
    await nextOf(server);
    expect(events.log).toEqual(['listening', 'drop', 'connection']);
  });

  test('with verify: false accepts all, and reports which are authorized', async () => {
    const { server, port } = await serverOf({ ...mutual, verify: false, maxVersion: version });
    const seen: Pick<SecureConnectEvent, 'authorized' | 'peer'>[] = [];
    for (const identity of [joe, untrustedJoe, {}]) {
      const next = nextOf(server);
      nodeClient(port, identity);
      const { authorized, peer } = await firstValueFrom((await next).pipe(on('secureConnect')));
      seen.push({ authorized, peer: peer?.subject as never });
    }
    expect(seen).toEqual([
      { authorized: true, peer: 'CN=joe' },
      { authorized: false, peer: 'CN=joe' },
      { authorized: false, peer: undefined },
    ]);
  });

  test('does not ask by default', async () => {
    const { server, port } = await serverOf({ ca, maxVersion: version });
    nodeClient(port, joe);
    const socket = await nextOf(server);
    expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({
      authorized: false,
      peer: undefined,
    });
  });

  test('shows its own certificate, from the options or from a context', async () => {
    const server = await nodeServer({ requestCert: true, ca, maxVersion: version });
    for (const own of [{ ca, ...joe }, { context: createSecureContext({ ca, ...joe }) }]) {
      dial({ port: server.port, keepOpen: true, ...own }).subscribe({ error: () => {} });
      const peer = await server.next();
      expect(peer.authorized).toBe(true);
      expect(peer.getPeerX509Certificate()?.subject).toBe('CN=joe');
    }
  });
});

test('a rejected client gets an alert in phase read, after secureConnect, in TLS 1.3', async () => {
  const server = await nodeServer({ requestCert: true, ca, minVersion: 'TLSv1.3' });
  const { log, ended } = record(dial({ port: server.port }));
  expect((await ended).error).toMatchObject({
    name: 'AlertError',
    code: 'ERR_TLS_ALERT',
    alert: 'certificate_required',
    phase: 'read',
    message: `The peer at 127.0.0.1:${server.port} ended the connection with the TLS alert certificate_required`,
  });
  expect(log.slice(1)).toEqual(['connect', 'secureConnect', 'close', 'error:ERR_TLS_ALERT']);
});

// Node's servers check a certificate when the handshake is over, and hang up without an alert. So do ours.
test.each([
  ['TLSv1.2', 'ERR_TLS_HANDSHAKE', 'open'],
  ['TLSv1.3', 'ERR_TLS_TRUNCATED', 'read'],
] as const)('a client with an untrusted certificate is rejected in %s: %s', async (version, code, phase) => {
  const theirs = await nodeServer({ requestCert: true, ca, maxVersion: version });
  const ours = await serverOf({ ...mutual, maxVersion: version });
  for (const { port } of [theirs, ours]) {
    const { error } = await record(dial({ port, ...untrustedJoe }).pipe(data())).ended;
    expect(error).toMatchObject({ name: 'SocketError', code, phase });
  }
});

test('a rejected client gets an error in phase open in TLS 1.2', async () => {
  const server = await nodeServer({ requestCert: true, ca, maxVersion: 'TLSv1.2' });
  const { log, ended } = record(dial({ port: server.port }));
  expect((await ended).error).toMatchObject({ name: 'AlertError', alert: 'handshake_failure', phase: 'open' });
  expect(log).not.toContain('secureConnect');
});

describe.each(versions)('a virtual host (SNI), %s', (version) => {
  const names = { sni: { 'other.test': other }, maxVersion: version };

  test('accepts the clients that the server accepts, by default', async () => {
    const { server, port } = await serverOf({ ...mutual, ...names });
    nodeClient(port, { ...joe, servername: 'other.test' });
    const socket = await nextOf(server);
    expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({ authorized: true });
  });

  test('rejects the others', async () => {
    const { server, port } = await serverOf({ ...mutual, ...names });
    const dropped = dropOf(server);
    nodeClient(port, { ...untrustedJoe, servername: 'other.test' });
    expect(await dropped).toMatchObject({ error: { name: 'CertificateError' } });
  });

  test('may have its own authorities', async () => {
    const { server, port } = await serverOf({
      ...mutual,
      maxVersion: version,
      sni: { 'other.test': { ...other, ca: untrustedCa } },
    });
    nodeClient(port, { ...untrustedJoe, servername: 'other.test' });
    const socket = await nextOf(server);
    expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({ authorized: true });
  });
});

test.each(versions)(
  'no session is resumed if certificates are requested: it would outlive ca and crl, %s',
  async (version) => {
    const { server, port } = await serverOf({ ...mutual, maxVersion: version });
    server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
    const context = createSecureContext({ ca, ...joe });
    for (let round = 0; round < 2; round++) {
      const socket = dial({ port, context });
      const secured = firstValueFrom(socket.pipe(on('secureConnect')));
      await lastValueFrom(of('hello').pipe(through(socket)));
      // A resumed session shows no certificate.
      expect((await secured).peer?.subject).toBe('CN=localhost');
    }
  },
);

describe('rejects at the call', () => {
  test('requestCert without an authority', () => {
    expect(() => listen({ ...localhost, requestCert: true })).toThrow(/^requestCert needs ca/);
    const server = listen({ ...localhost, ...mutual });
    expect(() => server.setSecureContext(localhost)).toThrow(/^requestCert needs ca/);
  });

  test('a host without a certificate', () => {
    expect(() => listen({ ...localhost, sni: { 'other.test': {} } })).toThrow('The name other.test needs key and cert');
  });

  test('a host with its own versions, which Node would ignore', () => {
    const sni = { 'other.test': { ...other, minVersion: 'TLSv1.3' } } as never;
    expect(() => listen({ ...localhost, sni })).toThrow(
      'The name other.test cannot have minVersion of its own: give it to the server',
    );
  });

  test.each([
    ['a path', 'pki/ca.pem', /^ca must be PEM, in a string or a buffer, not 'pki\/ca\.pem': read the file/],
    ['DER', new X509Certificate(ca).raw, /^ca must be PEM, in a string or a buffer, not <Buffer 30 /],
    ['an empty string', '', /^ca must be a string or a buffer that is not empty, or an array of them, not ''$/],
  ])('%s in place of PEM', (_, wrong, message) => {
    expect(() => listen({ ...localhost, ca: wrong })).toThrow(TypeError);
    expect(() => listen({ ...localhost, ca: wrong })).toThrow(message);
    expect(() => createSecureContext({ ca: [ca, wrong] })).toThrow(message);
  });
});
