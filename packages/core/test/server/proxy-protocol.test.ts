// Servers behind proxies: the option `proxyProtocol` of listen().
import { once } from 'node:events';
import net, { BlockList } from 'node:net';
import {
  connections,
  data,
  type ListenOptions,
  listen,
  type ProxyProtocolOptions,
  type ServerEvent,
  type Socket,
  serve,
} from '@rxsock/core';
import { controlOf } from '@rxsock/core/internal';
import { VirtualClock } from '@rxsock/core/testing';
import { firstValueFrom } from 'rxjs';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { setNodeInternals } from '../../../../tests/support/node-internals.js';
import { accepted, drainRaw } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { binaryHeader, IPV4_ENDS } from '../proxy-protocol/headers.js';

const LINE = 'PROXY TCP4 192.0.2.7 192.0.2.1 4660 80\r\n';
const CLIENT = { address: '192.0.2.7', port: 4660, family: 'IPv4' };

/** A server that trusts this machine, and what it has emitted. */
async function proxied(proxyProtocol: Partial<ProxyProtocolOptions> = {}, options: ListenOptions = {}) {
  const server = listen({ ...options, proxyProtocol: { trusted: ['127.0.0.0/8'], ...proxyProtocol } });
  const recording = record<ServerEvent>(server);
  onTestFinished(() => server.close({ drain: 0 }));
  await expect.poll(() => server.address).toBeDefined();
  const dial = (localAddress = '127.0.0.1') => {
    const peer = net.connect({ port: server.address?.port ?? 0, host: '127.0.0.1', localAddress, allowHalfOpen: true });
    peer.setNoDelay().on('error', () => {});
    onTestFinished(() => void peer.destroy());
    return peer;
  };
  const drops = () => recording.values.filter(({ type }) => type === 'drop');
  return { server, dial, drops, next: () => firstValueFrom(server.pipe(connections())) };
}

describe.each([true, false])('with the internals of Node for reading: %s', (reads) => {
  beforeEach(() => {
    onTestFinished(setNodeInternals({ reads }));
  });

  test('the remote of a socket is the client, and proxied tells the rest', async () => {
    const { dial, next } = await proxied();
    const accepted = next();
    const peer = dial();
    peer.end(`${LINE}hello`);
    const socket = await accepted;
    const { log, ended } = record(socket.pipe(data()));
    await ended;
    expect(log).toEqual(['hello', 'complete']);
    const proxy = { address: '127.0.0.1', port: peer.localPort, family: 'IPv4' };
    expect(socket.remote).toEqual(CLIENT);
    expect(socket.local).toMatchObject({ address: '127.0.0.1' });
    expect(socket.proxied).toEqual({
      version: 1,
      source: CLIENT,
      destination: { address: '192.0.2.1', port: 80, family: 'IPv4' },
      tlvs: [],
      proxy,
    });
  });

  test('nothing is lost, however header and bytes are cut', async () => {
    const { server, dial } = await proxied();
    const clients: unknown[] = [];
    server
      .pipe(
        serve((socket) => {
          clients.push(socket.remote);
          return socket.pipe(data());
        }),
      )
      .subscribe();
    const bytes = Buffer.concat([binaryHeader(0x21, 0x11, IPV4_ENDS), Buffer.from(`${LINE}and more`)]);
    const answers = Array.from({ length: bytes.length }, async (_, cut) => {
      const peer = dial();
      const answer = drainRaw(peer);
      if (cut > 0) await new Promise((resolve) => peer.write(bytes.subarray(0, cut), resolve));
      await new Promise(setImmediate);
      peer.end(bytes.subarray(cut));
      return (await answer).bytes.toString();
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set([`${LINE}and more`]));
    expect(clients).toEqual(answers.map(() => CLIENT));
  });

  test('a byte at a time', async () => {
    const { dial, next } = await proxied();
    const accepted = next();
    const peer = dial();
    for (const byte of binaryHeader(0x21, 0x11, Buffer.concat([IPV4_ENDS, Buffer.of(9, 0, 1, 1)]))) {
      await new Promise((resolve) => peer.write(Buffer.of(byte), resolve));
    }
    peer.end('x');
    const socket = await accepted;
    expect(socket.proxied?.tlvs).toEqual([{ type: 9, value: Buffer.of(1) }]);
    expect(await firstValueFrom(socket.pipe(data()))).toEqual(Buffer.from('x'));
  });
});

test('a proxy that connects on its own account is the remote itself', async () => {
  const { dial, next } = await proxied();
  const accepted = next();
  const peer = dial();
  peer.write(binaryHeader(0x20, 0));
  const socket = await accepted;
  expect(socket.remote).toMatchObject({ address: '127.0.0.1', port: peer.localPort });
  expect(socket.proxied).toMatchObject({ version: 2, source: undefined, proxy: socket.remote });
});

test('the socket is not accepted before its header is whole', async () => {
  const { server, dial } = await proxied();
  const peer = dial();
  peer.write(LINE.slice(0, -1));
  await once(peer, 'connect');
  await expect.poll(() => peer.bytesWritten).toBe(LINE.length - 1);
  await new Promise(setImmediate);
  expect(server.sockets.size).toBe(0);
  peer.write('\n');
  await expect.poll(() => server.sockets.size).toBe(1);
});

test('the wait for the header leaves no listener on the stream', async () => {
  const listeners = (socket: Socket) => {
    const { stream } = controlOf(socket).handOver();
    onTestFinished(() => void stream.destroy());
    return ['data', 'end', 'error', 'close', 'finish'].map((event) => stream.listenerCount(event));
  };
  const { dial, next } = await proxied();
  const accepting = next();
  dial().write(LINE);
  const { socket } = await accepted();
  expect(listeners(await accepting)).toEqual(listeners(socket));
});

test('messages name the client', async () => {
  const { dial, next } = await proxied();
  const accepted = next();
  const peer = dial();
  peer.write(LINE);
  const socket = await accepted;
  const { ended } = record(socket);
  peer.resetAndDestroy();
  expect((await ended).error).toMatchObject({ remote: CLIENT, message: expect.stringContaining('192.0.2.7:4660') });
});

test('without the option a header is data, and nobody is proxied', async () => {
  const server = listen();
  const accepted = firstValueFrom(server.pipe(connections()));
  await expect.poll(() => server.address).toBeDefined();
  const peer = net.connect({ port: server.address?.port ?? 0, host: '127.0.0.1' });
  peer.end(LINE);
  const socket = await accepted;
  expect((await firstValueFrom(socket.pipe(data()))).toString()).toBe(LINE);
  expect(socket.proxied).toBeUndefined();
});

describe('is reset, with a drop event,', () => {
  test.each([
    ['junk', 'GET / HTTP/1.1\r\n\r\n'],
    ['a line that is too long', `PROXY UNKNOWN ${'x'.repeat(100)}`],
    ['the version 3', binaryHeader(0x31, 0x11, IPV4_ENDS)],
    ['a wrong address', 'PROXY TCP4 999.0.0.1 192.0.2.1 1 1\r\n'],
  ])('%s', async (_, bytes) => {
    const { server, dial, drops } = await proxied();
    const peer = dial();
    const { localPort } = await once(peer, 'connect').then(() => peer);
    peer.write(bytes);
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    const remote = { address: '127.0.0.1', port: localPort, family: 'IPv4' };
    const error = { name: 'SocketError', code: 'ERR_PROXY_PROTOCOL', phase: 'open', remote };
    expect(drops()).toEqual([{ type: 'drop', reason: 'proxyProtocol', remote, error: expect.objectContaining(error) }]);
    expect(server.sockets.size).toBe(0);
  });

  test.each([LINE, binaryHeader(0x21, 0x11, IPV4_ENDS)])('a header that ends early, wherever: %#', async (whole) => {
    const { dial, drops } = await proxied();
    const ends = Array.from({ length: whole.length }, async (_, length) => {
      const peer = dial();
      peer.end(whole.slice(0, length));
      return (await drainRaw(peer)).end;
    });
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['ECONNRESET']));
    expect(drops().map((drop) => drop.type === 'drop' && drop.error?.code)).toEqual(
      ends.map(() => 'ERR_PROXY_PROTOCOL'),
    );
  });

  test('a peer that resets in its header', async () => {
    const { dial, drops } = await proxied();
    const peer = dial();
    peer.write('PROXY ');
    await once(peer, 'connect');
    peer.resetAndDestroy();
    await expect.poll(drops).toHaveLength(1);
    expect(drops()).toMatchObject([{ reason: 'proxyProtocol', error: { code: 'ERR_PROXY_PROTOCOL' } }]);
  });

  test('somebody who is not trusted, whatever he sends', async () => {
    const { dial, drops } = await proxied({ trusted: ['127.0.0.2', '2001:db8::/32'] });
    const peer = dial('127.0.0.1');
    peer.write(LINE);
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect(drops()).toMatchObject([{ reason: 'proxyProtocol', error: { code: 'ERR_PROXY_UNTRUSTED' } }]);
    expect(drops()).toMatchObject([{ error: { message: expect.stringContaining('not in proxyProtocol.trusted') } }]);
  });

  test('a header that takes longer than timeout, however busy its sender is', async () => {
    const scheduler = new VirtualClock();
    const { server, dial, drops } = await proxied({ timeout: 500 }, { scheduler });
    const peer = dial();
    peer.write('PROXY ');
    // Servers accept in order.
    dial().write(LINE);
    await expect.poll(() => server.sockets.size).toBe(1);
    for (let i = 0; i < 5; i++) {
      expect(drops()).toEqual([]);
      peer.write('U');
      scheduler.tick(100);
    }
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    const timeout = { timeout: 'proxyProtocol.timeout', milliseconds: 500, code: 'ETIMEDOUT' };
    expect(drops()).toMatchObject([{ reason: 'proxyProtocol', error: timeout }]);
  });
});

test.each<[string, readonly string[] | BlockList]>([
  ['an address', ['127.0.0.1']],
  ['a network', ['10.0.0.0/8', '127.0.0.0/30']],
  ['everybody', ['0.0.0.0/0']],
  ['a BlockList', blockList('127.0.0.1')],
])('trusts %s', async (_, trusted) => {
  const { dial, next } = await proxied({ trusted });
  const accepted = next();
  dial().write(LINE);
  expect((await accepted).remote).toEqual(CLIENT);
});

test('trusts an IPv4 address also where the server sees it as IPv6', async () => {
  const { server } = await proxied({ trusted: ['127.0.0.1'] }, { host: '::' });
  const accepted = firstValueFrom(server.pipe(connections()));
  const peer = net.connect({ port: server.address?.port ?? 0, host: '127.0.0.1' });
  onTestFinished(() => void peer.destroy());
  peer.write(LINE);
  expect((await accepted).proxied?.proxy).toMatchObject({ address: '::ffff:127.0.0.1' });
});

test('a closing server resets those whose header is not whole', async () => {
  const { server, dial, drops } = await proxied();
  const peer = dial();
  peer.write('PROXY ');
  dial().write(LINE);
  await expect.poll(() => server.sockets.size).toBe(1);
  const ended = drainRaw(peer);
  await server.close({ drain: 0 });
  expect((await ended).end).toBe('ECONNRESET');
  expect(drops()).toMatchObject([{ reason: 'proxyProtocol' }]);
});

function blockList(address: string): BlockList {
  const list = new BlockList();
  list.addAddress(address);
  return list;
}

describe('listen() refuses', () => {
  test.each<[string, unknown, string | RegExp]>([
    ['null', null, 'proxyProtocol must be an object'],
    ['true', true, 'proxyProtocol must be an object'],
    ['nobody', {}, 'trusted must be an array of addresses and networks'],
    ['an empty list', { trusted: [] }, 'trusted must be an array of addresses and networks'],
    ['a string', { trusted: '127.0.0.1' }, 'trusted must be an array of addresses and networks'],
    ...[
      '',
      'localhost',
      '127.0.0.1/33',
      '127.0.0.1/',
      '127.0.0.1/1/1',
      '::1/129',
      '1.2.3.4/08',
      'fe80::1%lo',
      null,
    ].map((each): [string, unknown, string | RegExp] => [
      `${each}`,
      { trusted: [each] },
      /trusted\[0\] must be an address or a network/,
    ]),
    ['a timeout of NaN', { trusted: ['::1'], timeout: Number.NaN }, 'timeout must be a number of milliseconds'],
    ['a timeout of -1', { trusted: ['::1'], timeout: -1 }, 'timeout must be a number of milliseconds'],
  ])('%s', (_, proxyProtocol, message) => {
    expect(() => listen({ proxyProtocol: proxyProtocol as ProxyProtocolOptions })).toThrow(message);
  });
});
