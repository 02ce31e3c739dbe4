// A faulty network on loopback, between real sockets.
import { once } from 'node:events';
import net from 'node:net';
import {
  connect,
  data,
  fromDuplex,
  lengthPrefixed,
  lengthPrefixedCodec,
  lines,
  on,
  ResetError,
  TruncatedFrameError,
  through,
} from '@rxsock/core';
import { type FaultyProxyOptions, faultyProxy } from '@rxsock/core/testing';
import { lastValueFrom, of, toArray } from 'rxjs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { closedPort, dial, drainRaw, opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

/** A proxied connection: our socket, and the plain socket at the target. */
async function proxied(faults: Omit<FaultyProxyOptions, 'target'> = {}) {
  const server = await rawServer();
  const proxy = await faultyProxy({ target: { port: server.port }, ...faults });
  onTestFinished(() => proxy.close());
  const socket = dial({ port: proxy.port, keepOpen: true, allowHalfOpen: true });
  const [peer] = await Promise.all([server.next(), opened(socket)]);
  return { socket, peer, proxy, server };
}

/** Reads everything, and returns the number of chunks in which it came. */
async function chunksOf(peer: net.Socket): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  await drainRaw(peer);
  return chunks;
}

test('without faults it changes nothing: a half-close one way, a late reply the other', async () => {
  const { socket, peer } = await proxied();
  const received = record(socket);
  socket.next('request');
  socket.complete();
  expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('request'), end: 'end' });
  expect(received.log).not.toContain('end');
  peer.end('reply');
  await received.ended;
  expect(received.log).toEqual(['connect', 'finish', 'data', 'end', 'close', 'complete']);
});

test('after the FIN of the target the client can continue', async () => {
  const { socket, peer } = await proxied();
  const received = record(socket);
  peer.end('bye');
  await expect.poll(() => received.log).toContain('end');
  socket.next('still here');
  socket.complete();
  expect((await drainRaw(peer)).bytes.toString()).toBe('still here');
  expect(await received.ended).toEqual({});
});

test('a megabyte passes whole', async () => {
  const { socket, peer } = await proxied();
  const bytes = Buffer.alloc(1 << 20, 'rxsock');
  const written = socket.write(bytes);
  socket.complete();
  const { bytes: received, end } = await drainRaw(peer);
  await written;
  expect(received.equals(bytes)).toBe(true);
  expect(end).toBe('end');
});

test('a receiver that does not read makes the sender wait', async () => {
  const bytes = Buffer.alloc(1 << 16);
  const { socket: fast, peer: slow } = await proxied();
  let sent = 0;
  while (sent < 64 << 20) {
    if (!fast.next(bytes) && !(await drains(fast, slow))) break;
    sent += 1 << 16;
  }
  expect(sent).toBeLessThan(64 << 20);
});

/** `true` when there is room again, `false` if nothing moves for half a second. */
async function drains(socket: ReturnType<typeof dial>, peer: net.Socket): Promise<boolean> {
  expect(peer.isPaused()).toBe(true);
  const stalled = new Promise<false>((resolve) => {
    let quiet = 0;
    let before = -1;
    const look = () => {
      quiet = socket.writableLength === before ? quiet + 1 : 0;
      before = socket.writableLength;
      if (quiet > 25) resolve(false);
      else if (before > 0) setTimeout(look, 20);
    };
    look();
  });
  const drained = new Promise<true>((resolve) => {
    socket.pipe(on('drain')).subscribe(() => resolve(true));
  });
  return Promise.race([drained, stalled]);
}

test('framing of slices of one byte yields the same lines', async () => {
  const { socket, peer } = await proxied({ slicer: { averageSize: 1 }, direction: 'fromTarget' });
  const text = 'one\r\ntwo\r\n\r\nthree €\r\n';
  const chunks = record(socket.pipe(data()));
  const frames = lastValueFrom(socket.pipe(data(), lines(), toArray()));
  peer.end(text);
  expect(await frames).toEqual(['one', 'two', '', 'three €']);
  expect(Buffer.concat(chunks.values).toString()).toBe(text);
  expect(chunks.values.length).toBeGreaterThan(1);
});

test('slices apply to the given direction', async () => {
  const { socket, peer } = await proxied({ slicer: { sizes: [2, 5] }, direction: 'toTarget' });
  const received = record(socket.pipe(data()));
  socket.next('abcdefghijklmnopqrstuvwxyz');
  socket.complete();
  const chunks = await chunksOf(peer);
  expect(Buffer.concat(chunks).toString()).toBe('abcdefghijklmnopqrstuvwxyz');
  expect(chunks.length).toBeGreaterThan(1);
  peer.end('abcdefghijklmnopqrstuvwxyz');
  await received.ended;
  expect(received.log).toEqual(['abcdefghijklmnopqrstuvwxyz', 'complete']);
});

test('latency holds back bytes and FIN', async () => {
  const { socket, peer } = await proxied({ latency: 60 });
  const before = performance.now();
  socket.next('x');
  socket.complete();
  await drainRaw(peer);
  const arrived = performance.now();
  const received = record(socket.pipe(data()));
  peer.end('y');
  await received.ended;
  expect(received.log).toEqual(['y', 'complete']);
  // Never too early. How late depends on the machine. A timer may fire a millisecond early.
  expect(arrived - before).toBeGreaterThanOrEqual(58);
  expect(performance.now() - arrived).toBeGreaterThanOrEqual(58);
});

test('a limited bandwidth spreads the bytes over time', async () => {
  const { socket, peer } = await proxied({ bandwidth: 10_000 });
  const before = performance.now();
  socket.next(Buffer.alloc(1000));
  socket.complete();
  const chunks = await chunksOf(peer);
  expect(Buffer.concat(chunks)).toHaveLength(1000);
  expect(chunks.length).toBeGreaterThan(1);
  expect(performance.now() - before).toBeGreaterThanOrEqual(98);
});

test('a limit inside a length-prefixed frame is a truncated frame', async () => {
  const { socket, peer } = await proxied({ limitData: 6 });
  const { encode } = lengthPrefixedCodec({ lengthField: 2 });
  const frames = record(socket.pipe(data(), lengthPrefixed({ lengthField: 2 })));
  peer.write(Buffer.concat([encode(Buffer.from('ab')), encode(Buffer.from('cdef'))] as Buffer[]));
  expect(await frames.ended).toEqual({ error: expect.any(TruncatedFrameError) });
  expect(frames.log[0]).toBe('ab');
  // The other direction continues.
  peer.resume();
  socket.next('why?');
  expect((await new Promise((resolve) => peer.once('data', resolve)))?.toString()).toBe('why?');
});

test.each(['toTarget', 'fromTarget'] as const)('a reset %s ends both sides, and is never an end', async (direction) => {
  const { socket, peer } = await proxied({ resetPeer: { bytes: 4 }, direction });
  const received = record(socket);
  const theirs = fromDuplex(peer);
  const atPeer = record(theirs);
  if (direction === 'toTarget') socket.next('abcdef');
  else peer.write('abcdef');
  expect(await received.ended).toEqual({ error: expect.any(ResetError) });
  expect(received.log).not.toContain('end');
  // Node alone would report it as an end.
  expect(await atPeer.ended).toEqual({ error: expect.any(ResetError) });
  expect(atPeer.log).not.toContain('end');
  expect(direction === 'toTarget' ? theirs.bytesRead : socket.bytesRead).toBe(4);
});

test('a reset waits until the target has accepted and has received what was to pass', async () => {
  const server = await rawServer();
  const target = { port: server.port };
  await using proxy = await faultyProxy({ target, resetPeer: { bytes: 4 }, direction: 'toTarget' });
  const client = dial({ port: proxy.port });
  client.next('abcdef');
  const received = record(client);
  const theirs = fromDuplex(await server.next());
  const atPeer = record(theirs.pipe(data()));
  expect(await atPeer.ended).toEqual({ error: expect.any(ResetError) });
  expect(Buffer.concat(atPeer.values).toString()).toBe('abcd');
  expect(await received.ended).toEqual({ error: expect.any(ResetError) });
});

test('nothing passes after a timeout, and then both sides get a FIN', async () => {
  const { socket, peer } = await proxied({ timeout: { bytes: 3, delay: 50 } });
  const received = record(socket);
  const atPeer = drainRaw(peer);
  socket.next('abcdef');
  peer.write('123456');
  await expect.poll(() => received.log).toContain('end');
  expect(await atPeer).toEqual({ bytes: Buffer.from('abc'), end: 'end' });
  expect(socket.bytesRead).toBe(3);
});

test('a connection is reset after some time, while nobody sends', async () => {
  const { socket, peer } = await proxied({ resetPeer: { delay: 50 } });
  const atPeer = record(fromDuplex(peer));
  expect(await record(socket).ended).toEqual({ error: expect.any(ResetError) });
  expect(await atPeer.ended).toEqual({ error: expect.any(ResetError) });
});

test('a peer that does not read does not keep the other side from its reset', async () => {
  const { socket } = await proxied({ resetPeer: { delay: 300 }, direction: 'toTarget' });
  socket.next(Buffer.alloc(16 << 20));
  expect(await record(socket).ended).toEqual({ error: expect.any(ResetError) });
});

test('a slow close delays the FIN', async () => {
  const { socket, peer } = await proxied({ slowClose: 3_600_000, direction: 'toTarget' });
  const ended = vi.fn();
  peer.on('end', ended).resume();
  socket.next('bye');
  socket.complete();
  await once(peer, 'data');
  // The other direction is not slow: its end comes first.
  peer.end('bye');
  await expect.poll(() => socket.readyState).toBe('closed');
  expect(ended).not.toHaveBeenCalled();
});

test('two proxies with the same seed cut the bytes of each connection at the same places', async () => {
  const server = await rawServer();
  const faults = { slicer: { averageSize: 20, sizeVariation: 15, delay: 5 }, direction: 'toTarget' } as const;
  const sizes = async (seed: number) => {
    await using proxy = await faultyProxy({ target: { port: server.port }, ...faults, seed });
    const ofConnections: number[][] = [];
    for (let connection = 0; connection < 2; connection++) {
      const socket = dial({ port: proxy.port, keepOpen: true });
      const [peer] = await Promise.all([server.next(), opened(socket)]);
      socket.next(Buffer.alloc(200));
      socket.complete();
      ofConnections.push((await chunksOf(peer)).map(({ length }) => length));
    }
    return ofConnections;
  };
  const places = (lengths: number[]) => lengths.map((_, index) => lengths.slice(0, index + 1).reduce((a, b) => a + b));
  const [one, other] = [await sizes(1), await sizes(1)];
  // The system may join pieces, but only whole ones.
  for (const [connection, lengths] of one.entries()) {
    const twice = [...places(lengths), ...places(other[connection] ?? [])];
    expect(new Set(twice).size).toBeLessThanOrEqual(Math.max(lengths.length, other[connection]?.length ?? 0) + 1);
  }
  expect(one[0]).not.toEqual(one[1]);
});

test('an abort of one side is a reset for the other', async () => {
  const { socket, peer } = await proxied();
  const atPeer = drainRaw(peer);
  socket.error();
  expect((await atPeer).end).toBe('ECONNRESET');

  const other = await proxied();
  const received = record(other.socket);
  other.peer.resetAndDestroy();
  expect(await received.ended).toEqual({ error: expect.any(ResetError) });
});

test('a target that refuses the connection resets the client', async () => {
  await using proxy = await faultyProxy({ target: { port: await closedPort() } });
  const answer = record(of('hello').pipe(through(connect({ port: proxy.port }))));
  expect(await answer.ended).toEqual({ error: expect.any(ResetError) });
});

test.each(['toTarget', 'fromTarget'] as const)('close() resets both sides, with bytes still %s', async (direction) => {
  const handles = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
  const server = await rawServer();
  const before = handles();
  const proxy = await faultyProxy({ target: { port: server.port }, latency: 3_600_000, direction });
  const client = fromDuplex(net.connect({ port: proxy.port, host: proxy.host }));
  const atClient = record(client);
  const peer = fromDuplex(await server.next());
  const atPeer = record(peer);
  const [late, quick, atQuick] = direction === 'toTarget' ? [client, peer, atClient] : [peer, client, atPeer];
  // When the byte has arrived, the two sides are connected.
  await quick.write('hello');
  await expect.poll(() => atQuick.log).toContain('data');
  await late.write('never to arrive');
  await proxy.close();
  expect(await atClient.ended).toEqual({ error: expect.any(ResetError) });
  expect(await atPeer.ended).toEqual({ error: expect.any(ResetError) });
  expect(quick.bytesRead).toBe(0);
  const refused = await new Promise((resolve) =>
    net.connect({ port: proxy.port, host: proxy.host }).on('error', resolve),
  );
  expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
  await expect.poll(handles).toBeLessThanOrEqual(before);
  await proxy.close();
});

test('rejects invalid numbers at the call', () => {
  const target = { port: 1 };
  for (const faults of [
    { slicer: { averageSize: 0 } },
    { slicer: { averageSize: 10, sizeVariation: 10 } },
    { latency: -1 },
    { jitter: -1 },
    { bandwidth: Number.NaN },
    { slowClose: -1 },
    { limitData: -1 },
    { timeout: { bytes: -1 } },
    { resetPeer: { bytes: -1 } },
    { resetPeer: { delay: Number.POSITIVE_INFINITY } },
  ]) {
    expect(() => faultyProxy({ target, ...faults }), JSON.stringify(faults)).toThrow(RangeError);
  }
  expect(() => faultyProxy({ target, limitData: 1, resetPeer: { bytes: 1 } })).toThrow(TypeError);
});
