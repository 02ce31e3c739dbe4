// A later connection resumes the session of an earlier one, but only if everything that was verified is the same.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { type ConnectOptions, createSecureContext, listen, type SecureContext } from '@rxsock/tls';
import { describe, expect, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { turns } from '../../../../tests/support/turns.js';
import { ca, joe, localhost, renewed, versions } from '../support/identities.js';
import { dial, type NodeServer, nextOf, nodeClient, nodeServer, secured, serverOf, started } from '../support/peers.js';

const services = vi.hoisted(() => ({ file: '' }));
vi.mock('../../../core/src/lookup/services-file.js', () => ({
  get SERVICES_FILE() {
    return services.file;
  },
}));

type Visit = Partial<ConnectOptions>;

/** Connects, talks and leaves. Returns whether the Node server has resumed a session. */
async function visit(server: NodeServer, options: Visit): Promise<boolean> {
  const socket = dial({ port: server.port, ...options });
  const { ended } = record(socket);
  const peer = await server.next();
  const reused = peer.isSessionReused();
  await turns(2);
  peer.end('bye');
  peer.resume();
  await ended;
  return reused;
}

describe.each(versions)('%s', (version) => {
  test('resumes with one context and the same host and port', async () => {
    const server = await nodeServer({ maxVersion: version });
    const context = createSecureContext({ ca });
    expect(await visit(server, { context })).toBe(false);
    expect(await visit(server, { context })).toBe(true);
    expect(await visit(server, { context })).toBe(true);
  });

  test('a resumed connection counts as verified, and its certificate is not sent again', async () => {
    const server = await nodeServer({ maxVersion: version });
    const context = createSecureContext({ ca });
    await visit(server, { context });
    const socket = dial({ port: server.port, context, keepOpen: true });
    const [event, peer] = await Promise.all([secured(socket), server.next()]);
    expect(peer.isSessionReused()).toBe(true);
    expect(event).toMatchObject({ authorized: true, peer: undefined, protocol: version });
  });

  test.each<[string, Visit, Visit]>([
    ['another name', {}, { servername: 'localhost' }],
    [
      'another name to verify by',
      { servername: 'x.test', verifyHost: 'localhost' },
      { servername: 'x.test', verifyHost: '127.0.0.1' },
    ],
    ['another host', {}, { host: 'localhost', family: 4 }],
    ['no verification before', { verify: false }, {}],
    ['no verification now', {}, { verify: false }],
    ['other protocols', { alpn: ['a'] }, { alpn: ['b'] }],
  ])('does not resume with %s', async (_, first, second) => {
    const server = await nodeServer({ maxVersion: version });
    const context = createSecureContext({ ca });
    expect(await visit(server, { context, ...first })).toBe(false);
    expect(await visit(server, { context, ...second })).toBe(false);
    expect(await visit(server, { context, ...first })).toBe(true);
  });

  test('does not resume on another port, even if that server could', async () => {
    const server = await nodeServer({ maxVersion: version });
    const second = await nodeServer({ maxVersion: version, ticketKeys: server.server.getTicketKeys() });
    const context = createSecureContext({ ca });
    expect(await visit(server, { context })).toBe(false);
    expect(await visit(second, { context })).toBe(false);
    expect(await visit(second, { context })).toBe(true);
  });

  test('does not resume with another service, even if that server could', async () => {
    const server = await nodeServer({ maxVersion: version });
    const second = await nodeServer({ maxVersion: version, ticketKeys: server.server.getTicketKeys() });
    const folder = await testFolder();
    services.file = join(folder, 'services');
    await writeFile(services.file, `first ${server.port}/tcp\nsecond ${second.port}/tcp\n`);
    const context = createSecureContext({ ca });
    expect(await visit(server, { context, port: 'first' })).toBe(false);
    expect(await visit(server, { context, port: 'first' })).toBe(true);
    expect(await visit(second, { context, port: 'second' })).toBe(false);
    expect(await visit(second, { context, port: 'second' })).toBe(true);
  });

  test('resumes neither with another context nor without one', async () => {
    const server = await nodeServer({ maxVersion: version });
    const context = createSecureContext({ ca });
    await visit(server, { context });
    expect(await visit(server, { context: createSecureContext({ ca }) })).toBe(false);
    expect(await visit(server, {})).toBe(false);
    expect(await visit(server, {})).toBe(false);
    expect(await visit(server, { context })).toBe(true);
  });

  test('a context that does not trust the server does not resume what another context has verified', async () => {
    const server = await nodeServer({ maxVersion: version });
    await visit(server, { context: createSecureContext({ ca }) });
    const socket = dial({ port: server.port, context: createSecureContext() });
    expect((await record(socket).ended).error).toMatchObject({ name: 'CertificateError' });
  });

  /** Whether a server of ours resumes a session of a Node client. */
  async function resumes(port: number, session: Buffer): Promise<boolean> {
    const peer = nodeClient(port, { session });
    await once(peer, 'secureConnect');
    return peer.isSessionReused();
  }

  test('our servers resume sessions, also after their certificates were replaced', async () => {
    const { server, port } = await serverOf({ maxVersion: version });
    const first = nodeClient(port);
    const sessions = once(first, 'session');
    const socket = await nextOf(server);
    expect(first.isSessionReused()).toBe(false);
    first.resume();
    await socket.write('hello');
    const [session] = (await sessions) as [Buffer];
    expect(await resumes(port, session)).toBe(true);
    server.setSecureContext({ ...localhost, maxVersion: version });
    expect(await resumes(port, session)).toBe(true);
    server.setSecureContext({ ...renewed, maxVersion: version });
    expect(await resumes(port, session)).toBe(true);
  });
});

describe('setSecureContext()', () => {
  const namesOf = (peer: TLSSocket) => peer.getPeerX509Certificate()?.subjectAltName;

  async function shown(port: number, servername = 'localhost'): Promise<string | undefined> {
    const peer = nodeClient(port, { servername, rejectUnauthorized: false });
    await once(peer, 'secureConnect');
    return namesOf(peer);
  }

  test('shows the new certificates to new connections, while open ones continue', async () => {
    const { server, port } = await serverOf();
    const next = nextOf(server);
    const before = nodeClient(port);
    await once(before, 'secureConnect');
    const socket = await next;
    const { log } = record(socket);
    server.setSecureContext(renewed);
    expect(await shown(port)).toContain('renewed.test');
    expect(namesOf(before)).not.toContain('renewed.test');
    before.write('still here');
    await expect.poll(() => log).toEqual(['connect', 'secureConnect', 'data']);
    await socket.write('so am I');
    expect(String((await once(before, 'data'))[0])).toBe('so am I');
  });

  test('replaces all of them, those for other names included', async () => {
    const { server, port } = await serverOf({ sni: { 'x.test': renewed } });
    expect(await shown(port, 'x.test')).toContain('renewed.test');
    server.setSecureContext({ ...localhost, sni: { 'y.test': renewed } });
    expect(await shown(port, 'x.test')).not.toContain('renewed.test');
    expect(await shown(port, 'y.test')).toContain('renewed.test');
  });

  test('replaces the trusted authorities', async () => {
    const { server, port, events } = await serverOf({ requestCert: true, ca, maxVersion: 'TLSv1.2' });
    nodeClient(port, joe);
    await nextOf(server);
    server.setSecureContext({ ...localhost, ca: [], maxVersion: 'TLSv1.2' });
    nodeClient(port, joe);
    await expect.poll(() => events.log).toEqual(['listening', 'connection', 'drop']);
  });

  test('throws for invalid certificates and keeps the old ones', async () => {
    const { server, port } = await serverOf();
    expect(() => server.setSecureContext({ key: renewed.key, cert: localhost.cert })).toThrow(/key values mismatch/);
    expect(() => server.setSecureContext({} as never)).toThrow('A TLS server needs key and cert, or pfx');
    expect(() =>
      server.setSecureContext({ ...renewed, sni: { x: { key: renewed.key, cert: localhost.cert } } }),
    ).toThrow();
    expect(await shown(port)).not.toContain('renewed.test');
  });
});

describe('before the server listens', () => {
  test('sets the certificates to start with', async () => {
    const server = listen(localhost);
    server.setSecureContext(renewed);
    const { port } = await started(server);
    const peer = nodeClient(port);
    await once(peer, 'secureConnect');
    expect(peer.getPeerX509Certificate()?.subjectAltName).toContain('renewed.test');
  });
});

test('keeps the sessions of the hundred peers that were used last', async () => {
  const server = await nodeServer({ maxVersion: 'TLSv1.2' });
  const context: SecureContext = createSecureContext({ ca });
  const named = (index: number) => ({ context, verifyHost: '127.0.0.1', servername: `name${index}.test` });
  for (let index = 0; index < 100; index++) await visit(server, named(index));
  expect(await visit(server, named(0))).toBe(true);
  await visit(server, named(100));
  // The one that was used last stays, although it was the first to come.
  expect(await visit(server, named(0))).toBe(true);
  expect(await visit(server, named(100))).toBe(true);
  expect(await visit(server, named(1))).toBe(false);
}, 60_000);
