// A datagram that cannot be sent is an event, and never ends the socket.
import type { LookupFunction } from 'node:net';
import { on, SocketError } from '@rxsock/core';
import { bind, connect } from '@rxsock/udp';
import { describe, expect, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { bound, connected, eventsOf, rawPeer, refusingPort, unknownName } from '../support/peers.js';

const local = '127.0.0.1';

describe('sendError', () => {
  test('is EMSGSIZE for 65,508 bytes, and the socket continues', async () => {
    const peer = await rawPeer();
    const server = await bound();
    const remote = { address: local, port: peer.port };
    const datagram = { data: Buffer.alloc(65_508), remote };
    const sent = server.socket.send(datagram);
    await expect(sent).rejects.toMatchObject({ name: 'SocketError', code: 'EMSGSIZE', phase: 'write' });
    const error = await sent.catch((reason: unknown) => reason);
    expect(String(error)).toContain(` to ${local}:${peer.port} `);
    expect(eventsOf(server, 'sendError')).toEqual([{ type: 'sendError', datagram, error }]);
    expect(eventsOf(server, 'sendError')[0]?.datagram).toBe(datagram);
    await server.socket.send({ data: 'after it', remote });
    await expect.poll(() => peer.received).toEqual(['after it']);
    expect(server.socket.report).toMatchObject({ messagesWritten: 1, messagesUnsent: 1 });
    expect(server.log).toEqual(['listening', 'sendError']);
  });

  test('is not emitted for 65,507 bytes', async () => {
    const peer = await rawPeer();
    const { socket } = await connected({ port: peer.port });
    await socket.send(Buffer.alloc(65_507, 'x'));
    await expect.poll(() => peer.received.map(({ length }) => length)).toEqual([65_507]);
  });

  test('reports a port that refuses to a connected socket, which continues', async () => {
    const client = await connected({ port: await refusingPort() });
    client.socket.next('anybody?');
    await expect.poll(() => client.log).toEqual(['listening', 'sendError']);
    const { remote } = client.socket;
    const error = { name: 'SocketError', code: 'ECONNREFUSED', phase: 'write', remote, local: client.local };
    expect(eventsOf(client, 'sendError')).toMatchObject([{ datagram: undefined, error }]);
    client.socket.next('and now?');
    await expect.poll(() => client.log).toEqual(['listening', 'sendError', 'sendError']);
    expect(client.socket.readyState).toBe('open');
  });

  test('does not report a port that refuses to a bound socket', async () => {
    const server = await bound();
    await server.socket.send({ data: 'anybody?', remote: { address: local, port: await refusingPort() } });
    await turns();
    expect(server.log).toEqual(['listening']);
  });

  test('reports a name without an address', async () => {
    const peer = await rawPeer();
    const server = await bound({ lookup: unknownName });
    const datagram = { data: 'x', remote: { address: 'nobody.invalid', port: 9 } };
    server.socket.next(datagram);
    await server.socket.send({ data: 'y', remote: { address: local, port: peer.port } });
    await expect.poll(() => peer.received).toEqual(['y']);
    expect(eventsOf(server, 'sendError')).toMatchObject([{ datagram, error: { code: 'ENOTFOUND', phase: 'write' } }]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no resolver');
      },
      'EIO',
    ],
    ['returns nothing', (_name: string, _options: object, done: (...args: never[]) => void) => done(), 'ENOTFOUND'],
    ['returns no address', ((_name, _options, done) => done(null, 'here', 4)) as LookupFunction, 'ENOTFOUND'],
  ])('reports a lookup that %s', async (_name, lookup, code) => {
    const server = await bound({ lookup: lookup as LookupFunction });
    const sent = server.socket.send({ data: 'x', remote: { address: 'somebody', port: 9 } });
    await expect(sent).rejects.toMatchObject({ code });
    expect(server.log).toEqual(['listening', 'sendError']);
  });

  test('reports an address of the other family', async () => {
    const server = await bound();
    const sent = server.socket.send({ data: 'x', remote: { address: '::1', port: 9 } });
    await expect(sent).rejects.toMatchObject({ code: 'EINVAL' });
  });

  test('a datagram in the event is that of the caller, and the address may be in brackets', async () => {
    const peer = await rawPeer(undefined, '::1');
    const server = await bound({ host: '::1' });
    await server.socket.send({ data: 'x', remote: { address: '[::1]', port: peer.port } });
    await expect.poll(() => peer.received).toEqual(['x']);
    const datagram = { data: Buffer.alloc(70_000), remote: { address: '[::1]', port: peer.port } };
    await expect(server.socket.send(datagram)).rejects.toMatchObject({ code: 'EMSGSIZE' });
    expect(eventsOf(server, 'sendError')[0]?.datagram).toBe(datagram);
  });

  test('reports port 0, from which a message can come', async () => {
    const server = await bound();
    const datagram = { data: 'x', remote: { address: local, port: 0 } };
    expect(() => server.socket.next(datagram)).not.toThrow();
    expect(server.log).toEqual(['listening']); // not in the middle of next()
    await expect.poll(() => eventsOf(server, 'sendError')).toHaveLength(1);
    expect(eventsOf(server, 'sendError')).toMatchObject([{ datagram, error: { code: 'ERR_SOCKET_BAD_PORT' } }]);
  });

  test('a handler that sends again sends once, also while the socket opens', async () => {
    const peer = await rawPeer();
    const socket = bind();
    socket.next({ data: 'x', remote: { address: local, port: 0 } });
    const remote = { address: local, port: peer.port };
    const instead = socket.pipe(on('sendError')).subscribe(() => socket.next({ data: 'instead', remote }));
    await expect.poll(() => peer.received).toEqual(['instead']);
    instead.unsubscribe();
    expect(await socket.close()).toMatchObject({ messagesWritten: 1, messagesUnsent: 1 });
    expect(peer.received).toEqual(['instead']);
  });

  test('reports a broadcast address without broadcast', async () => {
    const server = await bound({ host: '0.0.0.0' });
    const remote = { address: '127.255.255.255', port: 9 };
    await expect(server.socket.send({ data: 'x', remote })).rejects.toMatchObject({ code: 'EACCES' });
    const allowed = await bound({ host: '0.0.0.0', broadcast: true });
    await allowed.socket.send({ data: 'x', remote: { address: '127.255.255.255', port: allowed.local.port } });
    await expect.poll(() => allowed.log).toEqual(['listening', 'message']);
  });

  test('reports that a connected socket does not send to others', async () => {
    const [peer, other] = [await rawPeer(), await rawPeer()];
    const { socket } = await connected({ port: peer.port });
    const sent = socket.send({ data: 'x', remote: { address: local, port: other.port } });
    await expect(sent).rejects.toMatchObject({ code: 'ERR_SOCKET_DGRAM_IS_CONNECTED' });
    await socket.send({ data: 'y', remote: { address: local, port: peer.port } });
    await expect.poll(() => peer.received).toEqual(['y']);
    expect(other.received).toEqual([]);
  });

  test('reports datagrams beyond maxWriteBuffer, which are dropped, empty ones too', async () => {
    const peer = await rawPeer();
    const socket = connect({ port: peer.port, maxWriteBuffer: 768 });
    expect(socket.next('')).toBe(true);
    expect(socket.next('')).toBe(true);
    const third = socket.send('third');
    await expect(third).rejects.toMatchObject({
      name: 'WriteBufferOverflowError',
      code: 'ERR_WRITE_BUFFER_OVERFLOW',
      limit: 768,
    });
    await expect.poll(() => peer.received).toEqual(['', '']);
    await socket.send('fourth');
    expect(await socket.close()).toMatchObject({ messagesWritten: 3, messagesUnsent: 1 });
  });

  test('is not emitted after complete() and after the end', async () => {
    const peer = await rawPeer();
    const socket = connect({ port: peer.port });
    socket.next('first');
    socket.complete();
    const late = socket.send('late');
    await expect(late).rejects.toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END', phase: 'write' });
    await socket.close();
    expect(socket.next('later')).toBe(false);
    await expect(socket.send('later')).rejects.toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    await expect.poll(() => peer.received).toEqual(['first']);
  });
});

describe('invalid input throws at the call, and harms nothing', () => {
  const remote = { address: local, port: 9 };
  test.each([
    ['a bare chunk without a peer', 'x'],
    ['nothing', undefined],
    ['null', null],
    ['a number', 5],
    ['no data', { remote }],
    ['bad data', { data: 5, remote }],
    ['no remote', { data: 'x' }],
    ['a remote without an address', { data: 'x', remote: { port: 9 } }],
  ])('%s', async (_name, datagram) => {
    const { socket, log } = await bound();
    expect(() => socket.next(datagram as never)).toThrow(TypeError);
    expect(() => socket.send(datagram as never)).toThrow(TypeError);
    expect(socket.writableLength).toBe(0);
    expect(log).toEqual(['listening']);
  });

  test('a socket without a peer accepts no bare chunks, and the types say so', () => {
    const socket = bind();
    // @ts-expect-error
    expect(() => socket.next('x')).toThrow('{ data, remote: { address, port } }');
  });

  test.each<[unknown, ErrorConstructor]>([
    [-1, RangeError],
    [65_536, RangeError],
    [1.5, RangeError],
    [Number.NaN, RangeError],
    ['9', TypeError],
  ])('the port %o', async (port, expected) => {
    const { socket } = await bound();
    const datagram = { data: 'x', remote: { address: local, port: port as number } };
    expect(() => socket.next(datagram)).toThrow(expected);
  });
});

describe('names', () => {
  /** A resolver that answers when the test says so. */
  function resolver() {
    const asked: string[] = [];
    const answers: (() => void)[] = [];
    const lookup: LookupFunction = (name, options, done) => {
      asked.push(`${name} ${options.family}`);
      answers.push(() => done(null, local, 4));
    };
    return { asked, answers, lookup };
  }

  test('are resolved for each burst; the order to one name is kept, and others do not wait', async () => {
    const peer = await rawPeer();
    const { asked, answers, lookup } = resolver();
    const { socket } = await bound({ lookup });
    const named = { address: 'peer.test', port: peer.port };
    for (const data of ['1', '2', '3']) socket.next({ data, remote: named });
    await socket.send({ data: 'first', remote: { address: local, port: peer.port } });
    expect(asked).toEqual(['peer.test 4']);
    expect(socket.writableLength).toBe(3 * 768);
    answers[0]?.();
    await expect.poll(() => peer.received).toEqual(['first', '1', '2', '3']);
    answers[0]?.(); // once more: a resolver that answers twice
    const again = socket.send({ data: '4', remote: named });
    expect(asked).toHaveLength(2);
    answers[1]?.();
    await again;
    await expect.poll(() => peer.received).toEqual(['first', '1', '2', '3', '4']);
  });

  test('that are never resolved do not prevent the close', async () => {
    const { lookup, answers } = resolver();
    const { socket, ended } = await bound({ lookup });
    const sent = socket.send({ data: 'x', remote: { address: 'peer.test', port: 9 } });
    socket.error();
    await expect(sent).rejects.toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    await ended;
    answers[0]?.();
    await turns();
    expect(socket.report).toMatchObject({ messagesWritten: 0, messagesUnsent: 1 });
  });

  test('of the peer and of the host are resolved to the requested family', async () => {
    const peer = await rawPeer();
    const { asked, answers, lookup } = resolver();
    const socket = connect({ host: 'peer.test', port: peer.port, family: 4, lookup });
    const sent = socket.send('hi');
    answers[0]?.();
    await sent;
    await socket.close();
    const server = bind({ host: 'own.test', lookup });
    const open = server.bind();
    answers[1]?.();
    expect(await open).toMatchObject({ address: local });
    await server.close();
    expect(asked).toEqual(['peer.test 4', 'own.test 0']);
  });
});

test.each(['', '127.0.0.1\0.example.com', '127.0.0.1\0', 'ü/x'])(
  'the address %j is refused at the call',
  async (address) => {
    const peer = await rawPeer();
    const server = await bound();
    const datagram = { data: 'x', remote: { address, port: peer.port } };
    for (const call of [() => server.socket.next(datagram), () => server.socket.send(datagram)]) {
      expect(call).toThrow(TypeError);
      expect(call).toThrow(/^remote\.address must be /);
    }
    await server.socket.send({ data: 'next', remote: { address: local, port: peer.port } });
    await expect.poll(() => peer.received).toEqual(['next']);
  },
);

describe('a lookup that gives what is not an error', () => {
  test.each([undefined, null, 0, '', 'no such name', {}, { code: 'EBROKEN' }])('%o, thrown', async (thrown) => {
    const lookup = () => {
      throw thrown;
    };
    const server = await bound({ lookup });
    const datagram = { data: 'x', remote: { address: 'nobody.invalid', port: 9 } };
    const error = await server.socket.send(datagram).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SocketError);
    expect((error as Error).message).not.toMatch(/: (undefined)?$/);
    const { ended } = record(connect({ host: 'nobody.invalid', port: 9, lookup }));
    expect((await ended).error).toMatchObject({
      name: 'ConnectError',
      message: expect.not.stringMatching(/: (undefined)?$/),
    });
  });
});

test.each([
  ['a string', 'enough'],
  ['an error', new Error('enough')],
])('the reason of an abort is in the message: %s', async (_what, reason) => {
  const server = await bound();
  server.socket.error(reason);
  expect((await server.ended).error).toMatchObject({
    message: expect.stringMatching(/this side: enough$/),
    cause: reason,
  });
});

test('a peer is not blamed for a local address that this host does not have', async () => {
  const { ended } = record(connect({ port: 9, localAddress: '192.0.2.1' }));
  const { error } = await ended;
  expect(error).toMatchObject({ code: 'EADDRNOTAVAIL', message: expect.stringContaining('192.0.2.1'), attempts: [] });
});
