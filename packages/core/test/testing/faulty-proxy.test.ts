// A faulty network on loopback, between real sockets.
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
import { expect, onTestFinished, test } from 'vitest';
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

test('framing at slice 1 yields the same lines', async () => {
  const { socket, peer } = await proxied({ slice: 1, direction: 'fromTarget' });
  const text = 'one\r\ntwo\r\n\r\nthree €\r\n';
  const chunks = record(socket.pipe(data()));
  const frames = lastValueFrom(socket.pipe(data(), lines(), toArray()));
  peer.end(text);
  expect(await frames).toEqual(['one', 'two', '', 'three €']);
  expect(Buffer.concat(chunks.values).toString()).toBe(text);
  expect(chunks.values.length).toBeGreaterThan(1);
});

test('slices apply to the given direction', async () => {
  const { socket, peer } = await proxied({ slice: [2, 5], direction: 'toTarget' });
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

test('delay holds back bytes and FIN', async () => {
  const { socket, peer } = await proxied({ delay: 60 });
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

test('throttle spreads the bytes over time', async () => {
  const { socket, peer } = await proxied({ throttle: 10_000 });
  const before = performance.now();
  socket.next(Buffer.alloc(1000));
  socket.complete();
  const chunks = await chunksOf(peer);
  expect(Buffer.concat(chunks)).toHaveLength(1000);
  expect(chunks.length).toBeGreaterThan(1);
  expect(performance.now() - before).toBeGreaterThanOrEqual(98);
});

test('a cut inside a length-prefixed frame is a truncated frame', async () => {
  const { socket, peer } = await proxied({ cut: 6 });
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
  const { socket, peer } = await proxied({ reset: 4, direction });
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
  await using proxy = await faultyProxy({ target, reset: 4, direction: 'toTarget' });
  const client = dial({ port: proxy.port });
  client.next('abcdef');
  const received = record(client);
  const theirs = fromDuplex(await server.next());
  const atPeer = record(theirs.pipe(data()));
  expect(await atPeer.ended).toEqual({ error: expect.any(ResetError) });
  expect(Buffer.concat(atPeer.values).toString()).toBe('abcd');
  expect(await received.ended).toEqual({ error: expect.any(ResetError) });
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
  const proxy = await faultyProxy({ target: { port: server.port }, delay: 3_600_000, direction });
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
  for (const faults of [{ slice: 0 }, { delay: -1 }, { throttle: Number.NaN }, { cut: -1 }, { reset: -1 }]) {
    expect(() => faultyProxy({ target, ...faults }), JSON.stringify(faults)).toThrow(RangeError);
  }
  expect(() => faultyProxy({ target, cut: 1, reset: 1 })).toThrow(TypeError);
});
