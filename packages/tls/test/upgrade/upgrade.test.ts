// STARTTLS on either side: the same connection continues with TLS.
import { once } from 'node:events';
import type net from 'node:net';
import tls from 'node:tls';
import { data, lines, on, reader, type Socket, connect as tcpConnect, listen as tcpListen } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { upgrade } from '@rxsock/tls';
import { firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dial, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { ca, expired, joe, localhost, untrustedJoe, versions } from '../support/identities.js';
import { drained, nextOf, nodeClient, plainPair, secured, started } from '../support/peers.js';

const client = { ca, servername: 'localhost' } as const;
const server = { ...localhost, isServer: true } as const;

/** The Node side of an upgrade, as a server. */
async function upgradeRaw(raw: net.Socket, options: tls.TlsOptions = {}): Promise<tls.TLSSocket> {
  const theirs = tls.createServer({ ...localhost, ...options });
  theirs.emit('connection', raw);
  const [peer] = (await once(theirs, 'secureConnection')) as [tls.TLSSocket];
  return peer.on('error', () => {});
}

describe.each(versions)('%s', (version) => {
  test('as a client, with the reader that has read the last plain line', async () => {
    const { plain, raw } = await plainPair('dialled');
    const smtp = reader(plain);
    raw.write('220 ready\r\n');
    expect(await smtp.readLine()).toBe('220 ready');
    await plain.write('STARTTLS\r\n');
    expect(String((await once(raw, 'data'))[0])).toBe('STARTTLS\r\n');
    raw.pause().write('220 go ahead\r\n');
    expect(await smtp.readLine()).toBe('220 go ahead');
    const before = record(plain);
    // An earlier subscriber that reads has to leave.
    before.subscription.unsubscribe();
    const watching = record(plain.pipe(on('close')));
    const secure = upgrade(smtp, { ...client, maxVersion: version });
    const { log, values } = record(secure);
    expect(secure.readyState).toBe('securing');
    secure.next('EHLO ');
    const peer = await upgradeRaw(raw);
    expect(String((await once(peer, 'data'))[0])).toBe('EHLO ');
    peer.write('250 ok');
    await expect.poll(() => log).toEqual(['connect', 'secureConnect', 'data']);
    expect(values[1]).toMatchObject({ protocol: version, authorized: true, peer: { subject: 'CN=localhost' } });
    expect(watching.values).toMatchObject([
      { report: { how: 'upgraded', by: 'local', bytesRead: 25, bytesWritten: 10, bytesUnsent: 0 } },
    ]);
    expect(watching.log).toEqual(['close', 'complete']);
    expect(plain.readyState).toBe('closed');
    expect(secure.local).toEqual(plain.local);
    expect(secure.remote).toEqual(plain.remote);
  });

  test('in the turn of the last plain line, which is sent first', async () => {
    const { plain, raw } = await plainPair('accepted');
    plain.next('220 go ');
    plain.next('ahead\r\n');
    const secure = upgrade(plain, { ...server, maxVersion: version });
    expect(String((await once(raw, 'data'))[0])).toBe('220 go ahead\r\n');
    const peer = nodeClient(0, { socket: raw });
    secure.next('hello');
    expect(String((await once(peer, 'data'))[0])).toBe('hello');
  });

  test('as a server, with a socket that nobody reads any more', async () => {
    const { plain, raw } = await plainPair('accepted');
    const first = firstValueFrom(plain.pipe(data(), lines()));
    raw.write('STARTTLS\r\n');
    expect(await first).toBe('STARTTLS');
    const secure = upgrade(plain, { ...server, maxVersion: version });
    const peer = nodeClient(0, { socket: raw });
    const { log } = record(secure);
    await once(peer, 'secureConnect');
    peer.write('hello');
    await expect.poll(() => log).toEqual(['connect', 'secureConnect', 'data']);
    await secure.write('hello to you');
    expect(String((await once(peer, 'data'))[0])).toBe('hello to you');
    expect((await secured(secure)).protocol).toBe(version);
  });

  test('on both sides with our sockets, from the start to the end', async () => {
    const plain = await bothOurs();
    const near = upgrade(plain.near, client);
    const far = upgrade(plain.far, { ...server, maxVersion: version });
    near.next('question');
    near.complete();
    const asked = record(far.pipe(data()));
    far.allowHalfOpen = true;
    await asked.ended;
    expect(asked.log).toEqual(['question', 'complete']);
    const answered = record(near.pipe(data()));
    far.next('answer');
    far.complete();
    await answered.ended;
    expect(answered.log).toEqual(['answer', 'complete']);
  });

  test('a client certificate is requested, verified and reported', async () => {
    const { plain, raw } = await plainPair('accepted');
    const secure = upgrade(plain, { ...server, ca, requestCert: true, maxVersion: version });
    nodeClient(0, { socket: raw, ...joe });
    expect(await secured(secure)).toMatchObject({ authorized: true, peer: { subject: 'CN=joe' } });
  });

  test('a client certificate that is not trusted ends the connection before anything is read', async () => {
    const { plain, raw } = await plainPair('accepted');
    const secure = upgrade(plain, { ...server, ca, requestCert: true, maxVersion: version });
    const { log, ended } = record(secure);
    nodeClient(0, { socket: raw, ...untrustedJoe }).write('let me in');
    expect((await ended).error).toMatchObject({
      name: 'CertificateError',
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      phase: 'open',
    });
    expect(log).toEqual(['connect', 'close', 'error:UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
  });

  test('a server with another name is rejected, and is sent nothing', async () => {
    const { plain, raw } = await plainPair('dialled');
    const secure = upgrade(plain, { ...client, maxVersion: version });
    const written = secure.write('a secret');
    const theirs = tls.createServer(expired);
    theirs.on('tlsClientError', () => {});
    theirs.emit('connection', raw);
    const { error } = await record(secure).ended;
    expect(error).toMatchObject({ name: 'CertificateError', code: 'CERT_HAS_EXPIRED', phase: 'open' });
    await expect(written).rejects.toBe(error);
  });

  test('verifies by verifyHost or servername, and not at all with verify: false', async () => {
    for (const [options, outcome] of [
      [{ verifyHost: 'localhost' }, 'secureConnect'],
      [{ servername: 'other.test' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
      [{ verify: false }, 'secureConnect'],
    ] as const) {
      const { plain, raw } = await plainPair('dialled');
      const secure = upgrade(plain, { ca, maxVersion: version, ...options });
      const { log } = record(secure);
      const theirs = tls.createServer(localhost).on('tlsClientError', () => {});
      theirs.emit('connection', raw);
      await expect.poll(() => log.join()).toMatch(outcome);
    }
  });
});

/** Two connected plain sockets of ours. */
async function bothOurs() {
  const { server: listener, port } = await started(tcpListen({ keepOpen: true }));
  const near = tcpConnect({ host: '127.0.0.1', port, keepOpen: true });
  const [far] = await Promise.all([nextOf(listener), firstValueFrom(near.pipe(on('connect')))]);
  onTestFinished(() => {
    near.error();
    far.error();
  });
  return { near, far };
}

test.each(['data', 'connect'] as const)(
  'no time limit of the plain socket runs on after an upgrade in %s',
  async (type) => {
    const { port } = await rawServer((peer) => void peer.write('220 go ahead\r\n'));
    const scheduler = new VirtualClock();
    const plain = dial({ port, scheduler, keepOpen: true, idleTimeout: 1000, minWriteRate: 1000 });
    const upgraded = new Promise<Socket>((resolve) => {
      const subscription = plain.pipe(on<'data' | 'connect'>(type)).subscribe(() => {
        subscription.unsubscribe();
        resolve(upgrade(plain, client));
      });
    });
    const secure = await upgraded;
    onTestFinished(() => secure.error());
    expect(plain.readyState).toBe('closed');
    expect(scheduler.actions).toEqual([]);
  },
);

test('name and mark move to the upgraded socket', async () => {
  const { plain } = await plainPair('dialled');
  const mark = { id: 7 };
  Object.assign(plain, { name: 'mail', mark });
  const secure: Socket = upgrade(plain, client);
  expect([secure.name, secure.mark]).toEqual(['mail', mark]);
});

test('the new socket has its own options', async () => {
  const { plain, raw } = await plainPair('dialled', { keepOpen: true });
  const abort = new AbortController();
  const secure = upgrade(plain, { ...client, signal: abort.signal, handshakeTimeout: 0, keepOpen: true });
  const { ended } = record(secure);
  const theirs = new Promise((resolve) => raw.on('close', resolve));
  raw.resume();
  abort.abort();
  expect((await ended).error).toMatchObject({ name: 'AbortedError' });
  await theirs;
});

test.each(['dialled', 'accepted'] as const)('silence ends with handshakeTimeout: %s', async (ours) => {
  const { plain, raw } = await plainPair(ours);
  raw.on('data', () => {});
  const closed = new Promise((resolve) => raw.on('close', resolve));
  const options = { handshakeTimeout: 50, keepOpen: true };
  const secure = upgrade(plain, ours === 'dialled' ? { ...client, ...options } : { ...server, ...options });
  const { log, ended } = record(secure);
  expect((await ended).error).toMatchObject({
    name: 'SocketTimeoutError',
    timeout: 'handshakeTimeout',
    milliseconds: 50,
    phase: 'open',
  });
  expect(log).toEqual(['connect', 'close', 'error:ETIMEDOUT']);
  raw.destroy();
  await closed;
});

test.each(['dialled', 'accepted'] as const)('junk in place of a handshake is an error at once: %s', async (ours) => {
  const { plain, raw } = await plainPair(ours);
  const secure = upgrade(plain, ours === 'dialled' ? client : server);
  raw.write('MAIL FROM:<joe>\r\n');
  const { log, ended } = record(secure);
  expect((await ended).error).toMatchObject({ code: 'ERR_TLS_HANDSHAKE', phase: 'open' });
  expect(log).toEqual(['connect', 'close', 'error:ERR_TLS_HANDSHAKE']);
});

describe.each(['end', 'resetAndDestroy'] as const)('a peer that leaves by %s', (way) => {
  test.each(['dialled', 'accepted'] as const)('during the handshake is an error at once: %s', async (ours) => {
    const { plain, raw } = await plainPair(ours);
    raw.resume();
    const secure = upgrade(plain, ours === 'dialled' ? client : server);
    raw[way]();
    const { log, ended } = record(secure);
    expect((await ended).error).toMatchObject({ code: 'ERR_TLS_HANDSHAKE', phase: 'open' });
    expect(log).toEqual(['connect', 'close', 'error:ERR_TLS_HANDSHAKE']);
  });
});

describe('the server that accepted the plain socket', () => {
  test('waits for the upgraded connection when it closes', async () => {
    const { plain, raw, server: listener } = await plainPair('accepted');
    const secure = upgrade(plain, server);
    const peer = nodeClient(0, { socket: raw });
    record(secure);
    await once(peer, 'secureConnect');
    let closed = false;
    const closing = listener?.close({ drain: 10_000 }).then(() => {
      closed = true;
    });
    await secure.write('still here');
    expect(String((await once(peer, 'data'))[0])).toBe('still here');
    expect(closed).toBe(false);
    peer.end();
    await closing;
    await expect.poll(() => secure.readyState).toBe('closed');
  });

  test('cuts it after drain milliseconds', async () => {
    const { plain, raw, server: listener } = await plainPair('accepted');
    const secure = upgrade(plain, server);
    const peer = nodeClient(0, { socket: raw });
    const { ended } = record(secure);
    await once(peer, 'secureConnect');
    const theirs = drained(peer);
    await listener?.close({ drain: 20 });
    expect((await ended).error).toMatchObject({ name: 'AbortedError' });
    expect((await theirs).end).not.toBe('end');
  });

  test('cuts it even while its FIN is on its way, when Node would never close a stream that is reset', async () => {
    const { plain, raw, server: listener } = await plainPair('accepted');
    const secure = upgrade(plain, server);
    const peer = nodeClient(0, { socket: raw });
    record(secure);
    await once(peer, 'secureConnect');
    peer.write('hello');
    await expect.poll(() => secure.bytesRead).toBe(5);
    const closed = new Promise<string>((resolve) => {
      setImmediate(() => {
        secure.complete();
        // complete() ends the stream on the next turn.
        setImmediate(() => void listener?.close({ drain: 0 }));
      });
      void secure.pipe(on('close')).subscribe({ complete: () => resolve(secure.readyState) });
    });
    expect(await closed).toBe('closed');
  });

  test.each(['close({ drain: 0 })', 'its signal'])('cuts it by %s while the plain socket emits close', async (way) => {
    const abort = new AbortController();
    const { plain, raw, server: listener } = await plainPair('accepted', { signal: abort.signal });
    const theirs = drained(raw);
    plain.pipe(on('close')).subscribe(() => {
      if (way === 'its signal') abort.abort();
      else void listener?.close({ drain: 0 });
    });
    expect((await record(upgrade(plain, server)).ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    expect((await theirs).end).toBe('ECONNRESET');
  });

  test('cuts it during its handshake', async () => {
    const { plain, server: listener } = await plainPair('accepted');
    const { ended } = record(upgrade(plain, server));
    await listener?.close({ drain: 0 });
    expect((await ended).error).toMatchObject({ phase: 'open' });
  });
});
