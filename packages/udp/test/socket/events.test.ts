// What a socket emits and carries, in both directions.
import dgram from 'node:dgram';
import type { LookupFunction } from 'node:net';
import { runInNewContext } from 'node:vm';
import { on } from '@rxsock/core';
import { bind, connect, type DatagramEvent, type Message } from '@rxsock/udp';
import { defer, firstValueFrom, from, map, retry, take, tap, toArray } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { bound, connected, eventsOf, live, rawPeer, unknownName } from '../support/peers.js';

describe('listening', () => {
  test('is emitted with the address, and again to later subscribers', async () => {
    const socket = bind();
    expect(socket.readyState).toBe('idle');
    expect(socket.local).toBeUndefined();
    const { log, local } = await live(socket);
    expect(log).toEqual(['listening']);
    expect(local).toEqual({ address: '127.0.0.1', port: expect.any(Number), family: 'IPv4' });
    expect(socket.local).toEqual(local);
    expect(socket.readyState).toBe('open');
    expect(record(socket).values).toEqual([{ type: 'listening', address: local }]);
  });

  test('is emitted once the peer is known, if there is to be one', async () => {
    const peer = await rawPeer();
    const { socket, local } = await connected({ port: peer.port });
    expect(socket.remote).toEqual({ address: '127.0.0.1', port: peer.port, family: 'IPv4' });
    expect(local).toMatchObject({ address: '127.0.0.1' });
  });

  test('is never emitted before subscribe() has returned', async () => {
    const socket = bind();
    const { log } = record(socket);
    expect(log).toEqual([]);
    expect(socket.readyState).toBe('opening');
    await expect.poll(() => log).toEqual(['listening']);
    await socket.close();
  });

  test('on a port in use fails; a later subscriber gets the error on a later turn', async () => {
    const { port } = await rawPeer();
    const socket = bind({ port });
    const { log, ended } = record(socket);
    const { error } = await ended;
    expect(error).toMatchObject({ name: 'SocketError', code: 'EADDRINUSE', phase: 'open' });
    expect(log).toEqual(['close', 'error:EADDRINUSE']);
    expect(socket.readyState).toBe('closed');
    const late = record(socket);
    expect(late.log).toEqual([]);
    expect(await late.ended).toEqual({ error });
    expect(late.log).toEqual(log);
  });

  test('works when the port is free again and it is subscribed again', async () => {
    const occupant = await bound();
    const again = defer(() => bind({ port: occupant.local.port })).pipe(
      retry({ delay: () => occupant.socket.close() }),
    );
    const recording = record(again);
    onTestFinished(() => recording.subscription.unsubscribe());
    await expect.poll(() => recording.log).toEqual(['close', 'listening']);
  });

  test.each([
    [{ host: 'nobody.invalid' }, 'ENOTFOUND'],
    [{ host: '203.0.113.200' }, 'EADDRNOTAVAIL'],
  ])('%o fails with %s', async (options, code) => {
    const { error } = await record(bind({ lookup: unknownName, ...options })).ended;
    expect(error).toMatchObject({ name: 'SocketError', code, phase: 'open' });
  });

  test('of a peer without an address fails with a ConnectError', async () => {
    const { error } = await record(connect({ host: 'nobody.invalid', port: 9, lookup: unknownName })).ended;
    expect(error).toMatchObject({ name: 'ConnectError', code: 'ENOTFOUND', phase: 'open', attempts: [] });
    const broadcast = await record(connect({ host: '255.255.255.255', port: 9 })).ended;
    const attempts = [{ address: '255.255.255.255', port: 9, code: 'EACCES' }];
    expect(broadcast.error).toMatchObject({ name: 'ConnectError', code: 'EACCES', attempts });
  });

  test('fails if the lookup throws', async () => {
    const lookup = () => {
      throw Object.assign(new Error('no resolver'), { code: 'ENORESOLVER' });
    };
    expect((await record(bind({ host: 'localhost', lookup })).ended).error).toMatchObject({ code: 'ENORESOLVER' });
  });
});

describe('messages', () => {
  test('come with their sender, one by one, empty ones too', async () => {
    const peer = await rawPeer();
    const server = await bound();
    for (const text of ['one', '', 'three']) await peer.send(text, server.local.port);
    await expect.poll(() => server.log).toHaveLength(4);
    const remote = { address: '127.0.0.1', port: peer.port, family: 'IPv4' };
    expect(server.values.slice(1)).toEqual([
      { type: 'message', data: Buffer.from('one'), remote },
      { type: 'message', data: Buffer.alloc(0), remote },
      { type: 'message', data: Buffer.from('three'), remote },
    ]);
    expect(server.socket.report).toMatchObject({ messagesRead: 3, bytesRead: 8, messagesDropped: 0 });
  });

  test('of the largest size come whole, and are not overwritten later', async () => {
    const peer = await rawPeer();
    const server = await bound();
    const large = Buffer.alloc(65_507, 'a');
    await peer.send(large, server.local.port);
    await peer.send('next', server.local.port);
    await expect.poll(() => eventsOf(server, 'message')).toHaveLength(2);
    expect(eventsOf(server, 'message')[0]?.data.equals(large)).toBe(true);
  });

  test('go to all subscribers', async () => {
    const peer = await rawPeer();
    const server = await bound();
    const second = record(server.socket.pipe(on('message')));
    await peer.send('x', server.local.port);
    await expect.poll(() => second.log).toEqual(['message']);
    expect(eventsOf(server, 'message')).toEqual(second.values);
  });

  test('are counted where nobody is subscribed', async () => {
    const peer = await rawPeer();
    const socket = bind();
    const { port } = await socket.bind();
    await peer.send('lost', port);
    await expect.poll(() => socket.report).toMatchObject({ messagesRead: 1, bytesRead: 4, messagesDropped: 1 });
    await socket.close();
  });

  test('of strangers do not reach a connected socket, not even from before it was connected', async () => {
    const [peer, stranger] = [await rawPeer(), await rawPeer()];
    const connectNode = dgram.Socket.prototype.connect;
    const spy = vi.spyOn(dgram.Socket.prototype, 'connect').mockImplementation(function (this: never, ...args) {
      const { port } = (this as dgram.Socket).address();
      stranger.send('psst', port).then(() => connectNode.apply(this, args as never));
    });
    onTestFinished(() => spy.mockRestore());
    const client = await connected({ port: peer.port });
    await stranger.send('too late', client.local.port).catch(() => {});
    await peer.send('hello', client.local.port);
    await expect.poll(() => eventsOf(client, 'message')).toHaveLength(1);
    expect(eventsOf(client, 'message')[0]?.data.toString()).toBe('hello');
    expect(client.socket.report).toMatchObject({ messagesRead: 1, messagesBlocked: 1 });
  });

  test('reach other subscribers even if one throws', async () => {
    const peer = await rawPeer();
    const server = await bound();
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
    const listeners = process.listeners('uncaughtException').slice(0, -1);
    for (const listener of listeners) process.off('uncaughtException', listener);
    onTestFinished(() => {
      for (const listener of listeners) process.on('uncaughtException', listener);
    });
    const bad = server.socket.pipe(on('message')).subscribe(() => {
      throw new Error('mine');
    });
    onTestFinished(() => bad.unsubscribe());
    const other = record(server.socket.pipe(on('message')));
    await peer.send('x', server.local.port);
    expect(await thrown).toMatchObject({ message: 'mine' });
    expect(other.log).toEqual(['message']);
  });
});

describe('sending', () => {
  test('works to any address, with strings and bytes, empty ones too', async () => {
    const [a, b] = [await rawPeer(), await rawPeer()];
    const { socket } = await bound();
    socket.next({ data: 'één', remote: { address: '127.0.0.1', port: a.port } });
    socket.next({ data: new Uint8Array(0), remote: { address: '127.0.0.1', port: a.port } });
    await socket.send({ data: Buffer.from('b'), remote: { address: '127.0.0.1', port: b.port } });
    await expect.poll(() => [a.received, b.received]).toEqual([['één', ''], ['b']]);
    expect(socket.report).toMatchObject({ messagesWritten: 3, bytesWritten: 6, messagesUnsent: 0 });
  });

  test('opens the socket, although nobody has subscribed', async () => {
    const peer = await rawPeer();
    const socket = connect({ port: peer.port });
    socket.next('cpu:1');
    socket.next('cpu:2');
    expect(socket.readyState).toBe('opening');
    await expect.poll(() => peer.received).toEqual(['cpu:1', 'cpu:2']);
    expect(socket.readyState).toBe('open');
    await socket.close();
  });

  test('before the socket is bound queues, in order', async () => {
    const peer = await rawPeer();
    const socket = bind();
    const remote = { address: '127.0.0.1', port: peer.port };
    socket.next({ data: '1', remote });
    socket.next({ data: '2', remote });
    const sent = socket.send({ data: '3', remote });
    socket.next({ data: '4', remote });
    await sent;
    await socket.close();
    await expect.poll(() => peer.received).toEqual(['1', '2', '3', '4']);
  });

  test('a message as it was received replies to its sender', async () => {
    const echo = await bound();
    echo.socket.pipe(on('message')).subscribe(echo.socket);
    const client = await connected({ port: echo.local.port });
    client.socket.next('ping');
    await expect.poll(() => eventsOf(client, 'message').map(({ data }) => data.toString())).toEqual(['ping']);
    // and from a connected socket, too
    client.socket.next(eventsOf(client, 'message')[0] as Message);
    await expect.poll(() => eventsOf(client, 'message')).toHaveLength(2);
  });

  test('bytes that change right after next() go out as they were given', async () => {
    const peer = await rawPeer();
    const remote = { address: '127.0.0.1', port: peer.port };
    const open = await bound();
    const opening = bind();
    const other = { address: '127.0.0.1', port: (await rawPeer()).port };
    const sends = [
      (data: Buffer) => open.socket.next({ data, remote }),
      (data: Buffer) => void opening.send({ data, remote }),
      // Behind more than the kernel takes at once. That goes to somebody else, who may lose it.
      (data: Buffer) => {
        for (let count = 0; count < 20; count++) open.socket.next({ data: Buffer.alloc(65_000), remote: other });
        open.socket.next({ data, remote });
      },
    ];
    for (const send of sends) {
      const data = Buffer.from('as given');
      send(data);
      data.fill('x');
    }
    await expect.poll(() => peer.received.filter((text) => text === 'as given')).toHaveLength(3);
    await opening.close();
  });

  test('an Observable of datagrams can be subscribed with the socket', async () => {
    const peer = await rawPeer();
    const socket = connect({ port: peer.port });
    const { log, ended } = record(socket);
    from(['a', 'b']).subscribe(socket);
    await ended;
    expect(log).toEqual(['listening', 'close', 'complete']);
    await expect.poll(() => peer.received).toEqual(['a', 'b']);
  });

  test('next() returns false at the high-water mark, and drain follows', async () => {
    const peer = await rawPeer();
    const { socket, log } = await connected({ port: peer.port, highWaterMark: 2000 });
    expect(socket.next(Buffer.alloc(400))).toBe(true);
    expect(socket.next('small')).toBe(true);
    expect(socket.writableLength).toBe(1536);
    expect(socket.next(Buffer.alloc(800))).toBe(false);
    await expect.poll(() => log).toEqual(['listening', 'drain']);
    expect(socket.writableLength).toBe(0);
    expect(socket.next('more')).toBe(true);
    await socket.send('and more');
    await turns();
    expect(log).toEqual(['listening', 'drain']);
  });

  test('a sender that continues at each drain sends everything', async () => {
    const { socket, ended } = await bound({ highWaterMark: 1000 });
    const peer = await rawPeer();
    const remote = { address: '127.0.0.1', port: peer.port };
    let left = 99; // the last of them do not reach the mark
    const fill = () => {
      while (left > 0) if (!socket.next({ data: `${left--}`, remote })) return;
      socket.complete();
    };
    socket.pipe(on('drain')).subscribe(fill);
    fill();
    await ended;
    expect(socket.report).toMatchObject({ messagesWritten: 99, messagesUnsent: 0 });
    await expect.poll(() => peer.received).toHaveLength(99);
  });

  test('a sender that continues at each drain lets others have their turn', async () => {
    const peer = await rawPeer((node, _data, from) => node.send('stop', from.port, from.address));
    const { socket } = await connected({ port: peer.port, highWaterMark: 1 });
    let drains = 0;
    const stopped = firstValueFrom(socket.pipe(on('message')));
    const sending = socket.pipe(on('drain')).subscribe(() => ++drains < 10_000 && socket.next('x'));
    socket.next('x');
    await stopped;
    sending.unsubscribe();
    expect(drains).toBeLessThan(10_000);
  });

  test.each([
    ['sent', true],
    ['refused', false],
  ])('a loop of await send() lets a timer run: %s', async (_name, isOpen) => {
    const peer = await rawPeer();
    const { socket } = await connected({ port: peer.port });
    if (!isOpen) await socket.close();
    let over = false;
    setTimeout(() => (over = true), 5);
    const latest = performance.now() + 2000;
    while (!over && performance.now() < latest) await socket.send('x').catch(() => {});
    expect(over).toBe(true);
  });

  test('drain waits for what was queued when it was due', async () => {
    const peer = await rawPeer();
    const answers: (() => void)[] = [];
    const { socket, log } = await bound({
      highWaterMark: 1,
      lookup: (_name, _options, done) => void answers.push(() => done(null, '127.0.0.1', 4)),
    });
    setImmediate(() => socket.next({ data: 'second', remote: { address: 'peer.test', port: peer.port } }));
    socket.next({ data: 'first', remote: { address: '127.0.0.1', port: peer.port } });
    await expect.poll(() => peer.received).toEqual(['first']);
    await turns();
    expect([log, answers.length]).toEqual([['listening'], 1]);
    answers[0]?.();
    await expect.poll(() => log).toEqual(['listening', 'drain']);
  });

  test('events are emitted one at a time, also when one causes the next', async () => {
    const { socket } = await bound({ maxWriteBuffer: 1 });
    const peer = await rawPeer();
    const remote = { address: '127.0.0.1', port: peer.port };
    let depth = 0;
    const seen = firstValueFrom(
      socket.pipe(
        tap(() => {
          depth++;
          expect(depth).toBe(1);
        }),
        tap((event: DatagramEvent) => {
          if (event.type !== 'message') return;
          socket.next({ data: 'one that fits', remote });
          socket.next({ data: 'one too many', remote });
          socket.next({ data: 'two too many', remote });
        }),
        tap(() => depth--),
        map(({ type }) => type),
        take(4),
        toArray(),
      ),
    );
    await peer.send('go', socket.local?.port as number);
    expect(await seen).toEqual(['listening', 'message', 'sendError', 'sendError']);
  });
});

test('a look-up may send over the same socket: each datagram leaves once', async () => {
  const peer = await rawPeer();
  const lookup: LookupFunction = (name, _options, done) => {
    sender.next({ data: `query ${name}`, remote: { address: '127.0.0.1', port: peer.port } });
    setImmediate(done, null, '127.0.0.1', 4);
  };
  const sender = bind({ lookup });
  onTestFinished(() => sender.error());
  sender.next({ data: 'hello', remote: { address: 'peer.test', port: peer.port } });
  await expect.poll(() => peer.received).toContain('hello');
  await turns();
  expect(peer.received).toEqual(['query peer.test', 'hello']);
});

test('bytes of another realm are bytes', async () => {
  const peer = await rawPeer();
  const { socket } = await bound();
  const data = runInNewContext('new Uint8Array([104, 105])') as Uint8Array;
  await socket.send({ data, remote: { address: '127.0.0.1', port: peer.port } });
  await expect.poll(() => peer.received).toEqual(['hi']);
});
