// mTLS: who is asked for a certificate, who is let in, and what the others are told.
import { data, on, type SecureConnectEvent, serve, through } from '@rxsock/core';
import { createSecureContext, listen } from '@rxsock/tls';
import { firstValueFrom, lastValueFrom, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { ca, joe, localhost, other, strangersCa, strangersJoe, versions } from '../support/identities.js';
import { dial, drained, dropOf, nextOf, nodeClient, nodeServer, serverOf } from '../support/peers.js';

const mutual = { requestCert: true, ca } as const;

describe.each(versions)('%s', (version) => {
  it('lets in whom its authority has signed, and tells who it is', async () => {
    const { server, port } = await serverOf({ ...mutual, maxVersion: version });
    nodeClient(port, joe);
    const socket = await nextOf(server);
    expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({
      authorized: true,
      peer: { subject: 'CN=joe' },
    });
  });

  it.each([
    ['no certificate', {}, 'PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    ['one that a stranger has signed', strangersJoe, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['one that is not for clients', localhost, 'INVALID_PURPOSE'],
  ])('refuses a client with %s, and serves the next', async (_, identity, code) => {
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

  it('with verify: false takes all, and says who is authorized', async () => {
    const { server, port } = await serverOf({ ...mutual, verify: false, maxVersion: version });
    const seen: Pick<SecureConnectEvent, 'authorized' | 'peer'>[] = [];
    for (const identity of [joe, strangersJoe, {}]) {
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

  it('does not ask unless told to', async () => {
    const { server, port } = await serverOf({ ca, maxVersion: version });
    nodeClient(port, joe);
    const socket = await nextOf(server);
    expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({
      authorized: false,
      peer: undefined,
    });
  });

  it('shows its own certificate, of the options or of a context', async () => {
    const server = await nodeServer({ requestCert: true, ca, maxVersion: version });
    for (const own of [{ ca, ...joe }, { context: createSecureContext({ ca, ...joe }) }]) {
      dial({ port: server.port, keepOpen: true, ...own }).subscribe({ error: () => {} });
      const peer = await server.next();
      expect(peer.authorized).toBe(true);
      expect(peer.getPeerX509Certificate()?.subject).toBe('CN=joe');
    }
  });
});

it('in TLS 1.3 a refused client hears of it after secureConnect, as an alert in phase read', async () => {
  const server = await nodeServer({ requestCert: true, ca, minVersion: 'TLSv1.3' });
  const { log, ended } = record(dial({ port: server.port }));
  expect((await ended).error).toMatchObject({
    name: 'AlertError',
    code: 'ERR_TLS_ALERT',
    alert: 'certificate_required',
    phase: 'read',
    message: `127.0.0.1:${server.port} ended the connection with the TLS alert certificate_required`,
  });
  expect(log.slice(1)).toEqual(['connect', 'secureConnect', 'close', 'error:ERR_TLS_ALERT']);
});

// Node's servers look at a certificate when the handshake is over, and hang up without a word: ours do, too.
it.each([
  ['TLSv1.2', 'ERR_TLS_HANDSHAKE', 'open'],
  ['TLSv1.3', 'ERR_TLS_TRUNCATED', 'read'],
] as const)('one with the certificate of a stranger is hung up on, in %s: %s', async (version, code, phase) => {
  const theirs = await nodeServer({ requestCert: true, ca, maxVersion: version });
  const ours = await serverOf({ ...mutual, maxVersion: version });
  for (const { port } of [theirs, ours]) {
    const { error } = await record(dial({ port, ...strangersJoe }).pipe(data())).ended;
    expect(error).toMatchObject({ name: 'SocketError', code, phase });
  }
});

it('in TLS 1.2 a refused client hears of it in phase open', async () => {
  const server = await nodeServer({ requestCert: true, ca, maxVersion: 'TLSv1.2' });
  const { log, ended } = record(dial({ port: server.port }));
  expect((await ended).error).toMatchObject({ name: 'AlertError', alert: 'handshake_failure', phase: 'open' });
  expect(log).not.toContain('secureConnect');
});

describe.each(versions)('a name of its own (SNI), %s', (version) => {
  const names = { sni: { 'other.test': other }, maxVersion: version };

  it('takes the clients that the server takes, unless it says otherwise', async () => {
    const { server, port } = await serverOf({ ...mutual, ...names });
    nodeClient(port, { ...joe, servername: 'other.test' });
    const socket = await nextOf(server);
    expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({ authorized: true });
  });

  it('refuses the others', async () => {
    const { server, port } = await serverOf({ ...mutual, ...names });
    const dropped = dropOf(server);
    nodeClient(port, { ...strangersJoe, servername: 'other.test' });
    expect(await dropped).toMatchObject({ error: { name: 'CertificateError' } });
  });

  it('may have authorities of its own', async () => {
    const { server, port } = await serverOf({
      ...mutual,
      maxVersion: version,
      sni: { 'other.test': { ...other, ca: strangersCa } },
    });
    nodeClient(port, { ...strangersJoe, servername: 'other.test' });
    const socket = await nextOf(server);
    expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({ authorized: true });
  });
});

it.each(versions)(
  'no session is resumed where a certificate is asked for: it would outlive ca and crl, %s',
  async (version) => {
    const { server, port } = await serverOf({ ...mutual, maxVersion: version });
    server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
    const context = createSecureContext({ ca, ...joe });
    for (let round = 0; round < 2; round++) {
      const socket = dial({ port, context });
      const secured = firstValueFrom(socket.pipe(on('secureConnect')));
      await lastValueFrom(of('hello').pipe(through(socket)));
      // A session that is resumed shows no certificate.
      expect((await secured).peer?.subject).toBe('CN=localhost');
    }
  },
);

describe('refused at the call', () => {
  it('to ask for certificates without saying who signs them', () => {
    expect(() => listen({ ...localhost, requestCert: true })).toThrow(/^requestCert needs ca/);
    const server = listen({ ...localhost, ...mutual });
    expect(() => server.setSecureContext(localhost)).toThrow(/^requestCert needs ca/);
  });

  it('a name without a certificate', () => {
    expect(() => listen({ ...localhost, sni: { 'other.test': {} } })).toThrow('The name other.test needs key and cert');
  });

  it('a name with versions of its own, which Node would take no notice of', () => {
    const sni = { 'other.test': { ...other, minVersion: 'TLSv1.3' } } as never;
    expect(() => listen({ ...localhost, sni })).toThrow(
      'The name other.test cannot have ciphers or versions of its own',
    );
  });

  it.each(['pki/ca.pem', ''])('a path in place of a certificate: %j', (path) => {
    const refused = /^ca must be PEM text, or DER in buffers/;
    expect(() => listen({ ...localhost, ca: path })).toThrow(refused);
    expect(() => createSecureContext({ ca: [ca, path] })).toThrow(refused);
  });
});
