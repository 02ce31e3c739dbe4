// socks5(): every byte of the handshake, and every way in which it fails.
import { type ConnectOptions, connect, data, type Socket } from '@rxsock/core';
import { type Socks5Options, socks5 } from '@rxsock/core/proxy';
import { VirtualClock } from '@rxsock/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { closedPort, drainRaw, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { dialThrough, scriptedProxy } from './support.js';

const REPLY = [5, 0, 0, 1, 127, 0, 0, 1, 0x12, 0x34];

/** A socket to example.com:80 through a scripted proxy. */
const through = (options: Socks5Options = {}, target: Partial<ConnectOptions> = {}) =>
  dialThrough((proxy) => socks5(proxy, options), target);

async function failure(socket: Socket): Promise<unknown> {
  return (await record(socket).ended).error;
}

describe('the handshake', () => {
  test('asks for a name that the proxy resolves, and then carries the bytes of the target', async () => {
    const { socket, recording, proxy } = await through();
    socket.next('hello');
    expect(await proxy.hex()).toBe('050100');
    proxy.send(5, 0);
    expect(await proxy.hex()).toBe(`05010003${'0b'}${Buffer.from('example.com').toString('hex')}0050`);
    expect(socket.readyState).toBe('connecting');
    proxy.send(...REPLY);
    expect(await proxy.text()).toBe('hello');
    proxy.send('world');
    await expect.poll(() => recording.log).toEqual(['connect', 'data']);
    expect(socket.readyState).toBe('open');
    socket.complete();
    expect(await drainRaw(proxy.peer)).toMatchObject({ end: 'end' });
  });

  test.each([
    ['192.0.2.7', '01c0000207'],
    ['2001:db8::7', '0420010db8000000000000000000000007'],
    ['[::1]', '0400000000000000000000000000000001'],
    ['münchen.example', `0316${Buffer.from('xn--mnchen-3ya.example').toString('hex')}`],
  ])('asks for %s', async (host, address) => {
    const { proxy } = await through({}, { host, port: 443 });
    await proxy.hex();
    proxy.send(5, 0);
    expect(await proxy.hex()).toBe(`050100${address}01bb`);
  });

  test.each([
    ['an IPv4 address', REPLY],
    ['an IPv6 address', [5, 0, 0, 4, ...Array<number>(18).fill(9)]],
    ['a name', [5, 0, 0, 3, 4, 'name', 1, 2]],
  ])('passes over the address of the reply: %s', async (_what, reply) => {
    const { recording, proxy } = await through();
    await proxy.hex();
    proxy.send(5, 0);
    await proxy.hex();
    proxy.send(...reply, 'first bytes');
    await expect.poll(() => recording.values.at(-1)).toEqual({ type: 'data', data: Buffer.from('first bytes') });
  });

  test('takes the reply a byte at a time', async () => {
    const { recording, proxy } = await through();
    await proxy.hex();
    for (const byte of [5, 0]) {
      proxy.send(byte);
      await turns();
    }
    await proxy.hex();
    for (const byte of [...REPLY, 'x']) {
      proxy.send(byte);
      await turns();
    }
    await expect.poll(() => recording.log).toEqual(['connect', 'data']);
  });

  test('logs in if the proxy asks for it', async () => {
    const { recording, proxy } = await through({ username: 'me', password: 'secret' });
    expect(await proxy.hex()).toBe('05020002');
    proxy.send(5, 2);
    expect(await proxy.hex()).toBe(
      `0102${Buffer.from('me').toString('hex')}06${Buffer.from('secret').toString('hex')}`,
    );
    proxy.send(1, 0);
    await proxy.hex();
    proxy.send(...REPLY);
    await expect.poll(() => recording.log).toEqual(['connect']);
  });

  test('does not send the password to a proxy that wants no login', async () => {
    const { proxy } = await through({ username: 'me', password: 'secret' });
    await proxy.hex();
    proxy.send(5, 0);
    expect(await proxy.hex()).toMatch(/^050100/);
  });

  test('goes through a chain, hop by hop', async () => {
    const [first, second] = [await scriptedProxy(), { host: 'inner.example', port: 1081 }];
    const via = socks5({ ...second, via: socks5({ host: '127.0.0.1', port: first.port }) });
    const socket = connect({ host: 'example.com', port: 80, via });
    onTestFinished(() => socket.error());
    const { log } = record(socket);
    const proxy = await first.client();
    await proxy.hex();
    proxy.send(5, 0);
    expect(await proxy.hex()).toContain(Buffer.from('inner.example').toString('hex'));
    proxy.send(...REPLY);
    expect(await proxy.hex()).toBe('050100');
    proxy.send(5, 0);
    expect(await proxy.hex()).toContain(Buffer.from('example.com').toString('hex'));
    proxy.send(...REPLY, 'hi');
    await expect.poll(() => log).toEqual(['connect', 'data']);
  });
});

describe('failures', () => {
  test.each([
    [1, 'ERR_PROXY_REFUSED', 'general failure'],
    [2, 'ERR_PROXY_REFUSED', 'not allowed by its rules'],
    [3, 'ENETUNREACH', 'network unreachable'],
    [4, 'EHOSTUNREACH', 'host unreachable'],
    [5, 'ECONNREFUSED', 'connection refused'],
    [6, 'ETIMEDOUT', 'TTL expired'],
    [7, 'ERR_PROXY_REFUSED', 'command not supported'],
    [8, 'ERR_PROXY_REFUSED', 'address type not supported'],
    [99, 'ERR_PROXY_REFUSED', 'reply 99'],
  ])('reply %i is %s', async (reply, code, words) => {
    const { recording, proxy, port } = await through();
    await proxy.hex();
    proxy.send(5, 0);
    await proxy.hex();
    proxy.send(5, reply, 0, 1);
    const proxyName = `the SOCKS5 proxy at 127.0.0.1:${port}`;
    expect((await recording.ended).error).toMatchObject({
      name: 'ConnectError',
      code,
      phase: 'open',
      message: `Cannot connect to example.com:80 through ${proxyName}: ${proxyName} refused the connection: ${words}`,
    });
    expect((await drainRaw(proxy.peer)).end).toBe('ECONNRESET');
  });

  test.each([
    ['another protocol', {}, [['H', 'TTP/1.1 400 Bad Request\r\n']], 'ERR_PROXY_PROTOCOL', 'does not speak SOCKS5'],
    ['SOCKS4', {}, [[4, 90]], 'ERR_PROXY_PROTOCOL', 'does not speak SOCKS5'],
    ['a login that we lack', {}, [[5, 255]], 'ERR_PROXY_AUTH', 'wants a login'],
    ['no password', { username: 'me', password: 'x' }, [[5, 255]], 'ERR_PROXY_AUTH', 'does not take a password'],
    [
      'another login',
      { username: 'me', password: 'x' },
      [
        [5, 2],
        [1, 1],
      ],
      'ERR_PROXY_AUTH',
      'refused the login',
    ],
    [
      'an unknown address',
      {},
      [
        [5, 0],
        [5, 0, 0, 7],
      ],
      'ERR_PROXY_PROTOCOL',
      'does not speak SOCKS5',
    ],
    [
      'another version in the reply',
      {},
      [
        [5, 0],
        [1, 0, 0, 1],
      ],
      'ERR_PROXY_PROTOCOL',
      'does not speak SOCKS5',
    ],
  ])('%s', async (_what, options, script, code, words) => {
    const { recording, proxy } = await through(options);
    for (const bytes of script) {
      await proxy.hex();
      proxy.send(...bytes);
    }
    expect((await recording.ended).error).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test('a proxy that cannot be reached', async () => {
    const port = await closedPort();
    const socket = connect({ host: 'example.com', port: 80, via: socks5({ host: '127.0.0.1', port }) });
    expect(await failure(socket)).toMatchObject({
      name: 'ConnectError',
      code: 'ECONNREFUSED',
      message: expect.stringMatching(
        /^Cannot connect to example.com:80 through the SOCKS5 proxy at 127.0.0.1:\d+: the SOCKS5 proxy at .* failed: Cannot connect to 127.0.0.1/,
      ),
    });
  });

  test.each([
    ['ends', (peer: { end(): void }) => peer.end(), 'ERR_PROXY_REFUSED'],
    ['resets', (peer: { resetAndDestroy(): void }) => peer.resetAndDestroy(), 'ECONNRESET'],
  ])('a proxy that %s in the middle', async (_how, cut, code) => {
    const { recording, proxy } = await through();
    await proxy.hex();
    proxy.send(5);
    cut(proxy.peer as never);
    expect((await recording.ended).error).toMatchObject({ name: 'ConnectError', code });
  });

  test('a proxy that says nothing is given up after connectTimeout, and sees a reset', async () => {
    const scheduler = new VirtualClock();
    const { recording, proxy } = await through({}, { connectTimeout: 1000, scheduler });
    await proxy.hex();
    scheduler.tick(1000);
    expect((await recording.ended).error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'connectTimeout' });
    expect((await drainRaw(proxy.peer)).end).toBe('ECONNRESET');
    expect(scheduler.actions).toEqual([]);
  });

  test.each(['before the connection', 'in the handshake'])('an abort %s resets it', async (when) => {
    const proxy = await scriptedProxy();
    const via = socks5({ host: '127.0.0.1', port: proxy.port });
    const socket = connect({ host: 'example.com', port: 80, via });
    const { ended } = record(socket);
    if (when === 'before the connection') {
      socket.error();
      expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
      return;
    }
    const client = await proxy.client();
    await client.hex();
    socket.error();
    expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    expect((await drainRaw(client.peer)).end).toBe('ECONNRESET');
  });
});

describe('refused at the call', () => {
  const via = socks5({ port: 1080 });

  test.each([
    [() => socks5({ port: -1 }), 'port must be'],
    [() => socks5({ port: 1080 }, { username: 'me' }), 'password must be'],
    [() => socks5({ port: 1080 }, { password: 'me' }), 'username must be'],
    [
      () => socks5({ port: 1080 }, { username: 'x'.repeat(256), password: 'x' }),
      'username must have at most 255 bytes',
    ],
    [() => connect({ port: 'smtp', via }), 'port must be'],
    [() => connect({ port: 1, via: 'socks5://' as never }), 'via must be'],
    [() => connect({ port: 1, via, host: 'x.com\r\nEvil: 1' }), 'host must be a host name or an address'],
    [() => connect({ port: 1, via, host: 'a b' }), 'host must be a host name or an address'],
    [() => connect({ port: 1, via, host: 'x.com/path' }), 'host must be a host name or an address'],
    [() => connect({ port: 1, via, host: 'fe80::1%eth0' }), 'host must be a host name or an address'],
    [() => connect({ port: 1, via, host: `${'x'.repeat(256)}` }), 'host must be a host name of at most 255 bytes'],
    [() => connect({ port: 1, via, family: 4 }), 'family does not go with via: give it to the proxy'],
    [() => connect({ port: 1, via, lookup: (() => {}) as never }), 'lookup does not go with via'],
  ])('%#: %s', (call, message) => {
    expect(call).toThrow(message);
  });
});

test('a function that makes the socket to the proxy must return one', async () => {
  const socket = connect({ host: 'example.com', port: 80, via: socks5((() => 'socket') as never) });
  expect(await failure(socket.pipe(data()) as never)).toMatchObject({
    message: expect.stringContaining('The function of a proxy must return a socket'),
  });
});

test('a function that ends the connection dials no proxy', async () => {
  const server = await rawServer();
  const dialProxy = () => {
    socket.error();
    return connect({ port: server.port, host: '127.0.0.1' });
  };
  const socket = connect({ host: 'example.com', port: 80, via: socks5(dialProxy) });
  expect(await failure(socket)).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
  await turns();
  expect(server.peers).toEqual([]);
});
