// The options of a socket: what it rejects, and what reaches the system.
import dgram from 'node:dgram';
import { BlockList } from 'node:net';
import { on } from '@rxsock/core';
import { type BindOptions, bind, type ConnectOptions, connect } from '@rxsock/udp';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { bound, connected, eventsOf, rawPeer } from '../support/peers.js';

/** The Node sockets that are made during the test. */
function nodes(): () => dgram.Socket[] {
  const create = vi.spyOn(dgram, 'createSocket');
  onTestFinished(() => create.mockRestore());
  return () => create.mock.results.map(({ value }) => value);
}

describe('rejects at the call', () => {
  test.each<[BindOptions]>([
    [{ port: -1 }],
    [{ port: 65_536 }],
    [{ port: 1.5 }],
    [{ highWaterMark: 0 }],
    [{ maxWriteBuffer: Number.NaN }],
    [{ lingerTimeout: -1 }],
    [{ keepOpen: -1 }],
    [{ recvBufferSize: 0 }],
    [{ recvBufferSize: 2 ** 31 }],
    [{ sendBufferSize: 0.5 }],
    [{ multicastTTL: 256 }],
    [{ memberships: [{ group: '10.0.0.1' }] }],
  ])('%j', (options) => {
    expect(() => bind(options)).toThrow(RangeError);
  });

  test.each<[ConnectOptions]>([[{ port: 0 }], [{ port: 9, localPort: 70_000 }]])('%j', (options) => {
    expect(() => connect(options)).toThrow(RangeError);
  });

  test('a missing port', () => {
    expect(() => connect({} as never)).toThrow(TypeError);
  });

  test('the name of a service, and says how to get its port', () => {
    const message =
      "must be an integer from 1 to 65535, not 'ntp': " +
      "to look up a service, await servicePort(name, { protocol: 'udp' }) of @rxsock/core/lookup";
    expect(() => connect({ port: 'ntp' as never })).toThrow(new TypeError(`port ${message}`));
    const others = message.replace('from 1', 'from 0');
    expect(() => bind({ port: 'ntp' as never })).toThrow(new TypeError(`port ${others}`));
    expect(() => connect({ port: 123, localPort: 'ntp' as never })).toThrow(new TypeError(`localPort ${others}`));
  });

  test('a group that is not an address', () => {
    expect(() => bind({ memberships: [{ group: 'all' }] })).toThrow(TypeError);
  });

  test('a blockList of the wrong type', () => {
    expect(() => bind({ blockList: ['10.0.0.1'] as never })).toThrow(TypeError);
  });
});

describe('buffer sizes', () => {
  test('reach the system', async () => {
    const made = nodes();
    await bound();
    await bound({ recvBufferSize: 20_000, sendBufferSize: 30_000 });
    const [usual, tuned] = made();
    // Linux doubles them, for its own bookkeeping.
    expect([20_000, 40_000]).toContain(tuned?.getRecvBufferSize());
    expect([30_000, 60_000]).toContain(tuned?.getSendBufferSize());
    expect(usual?.getRecvBufferSize()).toBeGreaterThan(40_000);
  });

  test('that the system rejects fail the opening', async () => {
    const create = dgram.createSocket;
    const made = vi.spyOn(dgram, 'createSocket').mockImplementation((...args) => {
      const node = create(...(args as Parameters<typeof create>));
      node.setRecvBufferSize = () => {
        throw Object.assign(new Error('too large'), { code: 'ERR_SOCKET_BUFFER_SIZE' });
      };
      return node;
    });
    onTestFinished(() => made.mockRestore());
    const { error } = await record(bind({ recvBufferSize: 20_000 })).ended;
    expect(error).toMatchObject({ name: 'SocketError', code: 'ERR_SOCKET_BUFFER_SIZE', phase: 'open' });
  });
});

describe('addresses', () => {
  test('reuseAddr shares a port', async () => {
    const first = await bound({ reuseAddr: true });
    const second = await bound({ reuseAddr: true, port: first.local.port });
    expect(second.local).toEqual(first.local);
    const third = await record(bind({ port: first.local.port })).ended;
    expect(third.error).toMatchObject({ code: 'EADDRINUSE' });
  });

  test("'::' binds both families, and sends to both", async () => {
    const [four, six] = [await rawPeer(), await rawPeer(undefined, '::1')];
    const server = await bound({ host: '::' });
    await four.send('four', server.local.port);
    await six.send('six', server.local.port);
    await expect.poll(() => eventsOf(server, 'message')).toHaveLength(2);
    expect(eventsOf(server, 'message').map(({ remote }) => remote)).toEqual([
      { address: '::ffff:127.0.0.1', port: four.port, family: 'IPv6' },
      { address: '::1', port: six.port, family: 'IPv6' },
    ]);
    await server.socket.send({ data: 'by number', remote: { address: '127.0.0.1', port: four.port } });
    await server.socket.send(eventsOf(server, 'message')[0]!);
    await server.socket.send({ data: 'back', remote: { address: '::1', port: six.port } });
    await expect.poll(() => [four.received, six.received]).toEqual([['by number', 'four'], ['back']]);
  });

  test('with ipv6Only it binds one', async () => {
    const [four, six] = [await rawPeer(), await rawPeer(undefined, '::1')];
    const server = await bound({ host: '::', ipv6Only: true });
    await four.send('four', server.local.port);
    await six.send('six', server.local.port);
    await expect.poll(() => eventsOf(server, 'message').map(({ data }) => data.toString())).toEqual(['six']);
    const sent = server.socket.send({ data: 'x', remote: { address: '127.0.0.1', port: four.port } });
    await expect(sent).rejects.toMatchObject({ code: 'EINVAL' });
  });

  test('localAddress and localPort are used', async () => {
    const peer = await rawPeer();
    const { port } = (await bound()).local;
    const other = await connected({ port: peer.port, localAddress: '127.0.0.2', localPort: port });
    expect(other.local).toEqual({ address: '127.0.0.2', port, family: 'IPv4' });
    const six = await rawPeer(undefined, '::1');
    const client = await connected({ host: '::1', port: six.port });
    await client.socket.send('x');
    await expect.poll(() => six.received).toEqual(['x']);
  });

  test('host takes an IPv6 address in brackets', async () => {
    const server = bind({ host: '[::1]', keepOpen: true });
    onTestFinished(() => server.error());
    const messages = record(server.pipe(on('message')));
    const { port } = await server.bind();
    const client = connect({ host: '[::1]', port });
    await client.send('x');
    await client.close();
    await expect.poll(() => messages.values).toMatchObject([{ remote: { address: '::1' } }]);
  });
});

describe('blockList', () => {
  test('drops and counts, however the address is written', async () => {
    const blockList = new BlockList();
    blockList.addAddress('127.0.0.1');
    const [peer, six] = [await rawPeer(), await rawPeer(undefined, '::1')];
    const server = await bound({ host: '::', blockList });
    await peer.send('blocked', server.local.port);
    await six.send('welcome', server.local.port);
    await expect.poll(() => eventsOf(server, 'message').map(({ data }) => data.toString())).toEqual(['welcome']);
    expect(server.socket.report).toMatchObject({
      messagesRead: 1,
      bytesRead: 7,
      messagesBlocked: 1,
      messagesDropped: 0,
    });
    blockList.addAddress('::1', 'ipv6');
    await six.send('now blocked', server.local.port);
    await expect.poll(() => server.socket.report.messagesBlocked).toBe(2);
  });
});
