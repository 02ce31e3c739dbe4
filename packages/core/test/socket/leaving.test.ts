// What happens when the last subscriber has left.
import { data, on, writeTo } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { Subject, take } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { accepted, dial, drainRaw, opened, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { hanging } from '../support/dials.js';

const MEGABYTE = Buffer.alloc(1_000_000);

/** A pair whose socket was subscribed, and has just lost its last subscriber. */
async function left(options: Parameters<typeof pair>[0] = {}) {
  const scheduler = new VirtualClock();
  const { socket, peer } = await pair({ keepOpen: false, scheduler, ...options });
  record(socket).subscription.unsubscribe();
  return { socket, peer, scheduler };
}

describe('by the next turn', () => {
  test("the socket flushes, sends FIN, and waits for the peer's FIN", async () => {
    const { socket, peer } = await pair({ keepOpen: false, scheduler: new VirtualClock() });
    const { subscription } = record(socket);
    for (let i = 0; i < 5; i++) socket.next(MEGABYTE);
    subscription.unsubscribe();
    const report = socket.close();
    const { bytes, end } = await drainRaw(peer);
    expect([bytes.length, end]).toEqual([5_000_000, 'end']);
    peer.end('what nobody reads');
    expect(await report).toMatchObject({ by: 'local', how: 'fin', bytesWritten: 5_000_000, bytesRead: 17 });
  });

  test('and not before it, the socket closes', async () => {
    const { socket, scheduler } = await left();
    expect(socket.readyState).toBe('open');
    scheduler.tick(0);
    expect(socket.readyState).toBe('closing');
  });

  test('and not before it, a FIN that was asked for is still sent', async () => {
    const server = await rawServer();
    const scheduler = new VirtualClock();
    const { lookup, answer } = hanging();
    const socket = dial({ port: server.port, host: 'a.test', lookup, scheduler });
    const { subscription } = record(socket);
    socket.complete();
    subscription.unsubscribe();
    scheduler.tick(1);
    answer('127.0.0.1');
    const peer = await server.next();
    expect(await drainRaw(peer)).toMatchObject({ end: 'end' });
    peer.end();
    expect(await socket.close()).toMatchObject({ how: 'fin' });
  });

  test('a subscriber of the same turn keeps the socket open', async () => {
    const { socket, peer, scheduler } = await left();
    const bytes = record(socket.pipe(data()));
    scheduler.tick(100_000);
    expect(socket.readyState).toBe('open');
    peer.end('abc');
    await bytes.ended;
    expect(bytes.log).toEqual(['abc', 'complete']);
  });

  test('a watcher keeps the socket open', async () => {
    const { socket, scheduler } = await left();
    record(socket.pipe(on('close')));
    scheduler.tick(100_000);
    expect(socket.readyState).toBe('open');
  });

  test('a subscriber that leaves others behind changes nothing', async () => {
    const { socket, scheduler } = await left();
    record(socket);
    record(socket).subscription.unsubscribe();
    scheduler.tick(100_000);
    expect(socket.readyState).toBe('open');
  });

  test('unread input is read and dropped, so that the peer sees no reset', async () => {
    const { socket, peer } = await pair({ keepOpen: false });
    const release = socket.hold();
    const { subscription } = record(socket);
    for (let i = 0; i < 5; i++) peer.write(MEGABYTE);
    socket.next('goodbye');
    subscription.unsubscribe();
    const read = await drainRaw(peer);
    expect([read.bytes.toString(), read.end]).toEqual(['goodbye', 'end']);
    peer.end();
    await expect.poll(() => socket.readyState).toBe('closed');
    expect(socket.bytesRead).toBe(5_000_000);
    release();
  });

  test('an accepted socket closes too', async () => {
    const { socket, peer } = await accepted();
    record(socket).subscription.unsubscribe();
    expect((await drainRaw(peer)).end).toBe('end');
    peer.end();
    await expect.poll(() => socket.readyState).toBe('closed');
  });
});

describe('without any subscriber', () => {
  test.each([false, true])(
    'a socket closes after complete() and the answer of the peer, with keepOpen: %s',
    async (keepOpen) => {
      const server = await rawServer();
      const socket = dial({ port: server.port, keepOpen, scheduler: new VirtualClock() });
      await socket.write('a request');
      socket.complete();
      const peer = await server.next();
      expect((await drainRaw(peer)).end).toBe('end');
      peer.end('an answer');
      await expect.poll(() => socket.readyState).toBe('closed');
      expect(await socket.close()).toMatchObject({ how: 'fin', bytesRead: 9 });
    },
  );
});

describe('keepOpen', () => {
  test('waits that many milliseconds', async () => {
    const { socket, scheduler } = await left({ keepOpen: 500 });
    scheduler.tick(499);
    expect(socket.readyState).toBe('open');
    scheduler.tick(1);
    expect(socket.readyState).toBe('closing');
  });

  test('stops its timer for a new subscriber, and starts it again when that one leaves', async () => {
    const { socket, scheduler } = await left({ keepOpen: 500 });
    scheduler.tick(400);
    const { subscription } = record(socket);
    scheduler.tick(400);
    subscription.unsubscribe();
    scheduler.tick(499);
    expect(socket.readyState).toBe('open');
    scheduler.tick(1);
    expect(socket.readyState).toBe('closing');
  });

  test.each([true, Number.POSITIVE_INFINITY, 1e15])('%s never closes the socket', async (keepOpen) => {
    const { socket, scheduler } = await left({ keepOpen });
    scheduler.tick(1e9);
    expect(socket.readyState).toBe('open');
  });
});

describe("after the peer's FIN", () => {
  test('allowHalfOpen keeps the socket open for the answer', async () => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ keepOpen: false, allowHalfOpen: true, scheduler });
    const { log, subscription } = record(socket);
    peer.end();
    await expect.poll(() => log).toContain('end');
    subscription.unsubscribe();
    scheduler.tick(50_000);
    expect(socket.readyState).toBe('writeOnly');
    socket.next('the answer');
    socket.complete();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('the answer'), end: 'end' });
    await expect.poll(() => socket.readyState).toBe('closed');
  });

  // A counterexample of the model: the FIN comes before the reader leaves, and the reader is not told of it.
  test('that waits behind the last byte which a reader takes, the socket stays open too', async () => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ keepOpen: false, allowHalfOpen: true, scheduler });
    peer.end('one frame');
    const release = socket.hold();
    const { log, ended } = record(socket.pipe(data(), take(1)));
    await expect.poll(() => socket.bytesRead).toBe(9);
    await turns();
    release();
    await ended;
    expect(log).toEqual(['one frame', 'complete']);
    scheduler.tick(50_000);
    expect(socket.readyState).toBe('writeOnly');
    await socket.write('the answer');
    socket.complete();
    expect((await drainRaw(peer)).bytes.toString()).toBe('the answer');
  });

  // A counterexample of the model: the reader gives bytes back before the turn in which a socket that was left closes.
  test('bytes that the last reader gives back do not close the socket', async () => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ keepOpen: false, allowHalfOpen: true, scheduler });
    const { ended } = record(socket.pipe(data()));
    peer.end('twelve bytes');
    await ended;
    socket.unshift(Buffer.from('bytes'));
    scheduler.tick(50_000);
    expect(socket.readyState).toBe('writeOnly');
    await socket.write('the answer');
    socket.complete();
    expect((await drainRaw(peer)).bytes.toString()).toBe('the answer');
    const late = record(socket.pipe(data()));
    scheduler.tick(0);
    await late.ended;
    expect(late.log).toEqual(['bytes', 'complete']);
  });

  test('a write that must arrive whole keeps our side open no longer than it lasts, although bytes were given back', async () => {
    const { socket, peer } = await pair({ keepOpen: true });
    const source = new Subject<string>();
    const { ended } = record(source.pipe(writeTo(socket, { end: false })));
    const reading = record(socket.pipe(data()));
    peer.end('twelve bytes');
    await reading.ended;
    socket.unshift(Buffer.from('bytes'));
    source.next('the answer');
    source.complete();
    await ended;
    expect((await drainRaw(peer)).bytes.toString()).toBe('the answer');
  });

  test('halfOpenTimeout ends the socket', async () => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ keepOpen: false, allowHalfOpen: true, scheduler });
    const { log, subscription } = record(socket);
    peer.end();
    await expect.poll(() => log).toContain('end');
    subscription.unsubscribe();
    scheduler.tick(60_000);
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'timeout' });
  });
});

describe('lingerTimeout', () => {
  /** A socket that everybody has left while more waits than the kernel takes. Its peer does not read. */
  async function leftFull() {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ keepOpen: false, scheduler, lingerTimeout: 1000 });
    const { subscription } = record(socket);
    for (let i = 0; i < 20; i++) socket.next(MEGABYTE);
    subscription.unsubscribe();
    scheduler.tick(0);
    return { socket, peer, scheduler };
  }

  test('ends the wait for the FIN of a silent peer; bytes from the peer restart it', async () => {
    const { socket, peer, scheduler } = await left({ lingerTimeout: 1000 });
    scheduler.tick(0);
    expect((await drainRaw(peer)).end).toBe('end');
    await expect.poll(() => socket.readyState).toBe('closing');
    scheduler.tick(900);
    peer.write('x');
    await expect.poll(() => socket.bytesRead).toBe(1);
    scheduler.tick(900);
    await turns();
    expect(socket.readyState).toBe('closing');
    scheduler.tick(100);
    await expect.poll(() => socket.readyState).toBe('closed');
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'timeout', bytesRead: 1 });
  });

  test('ends a flush that makes no progress, with a reset', async () => {
    const { socket, peer, scheduler } = await leftFull();
    await turns();
    scheduler.tick(999);
    await turns();
    expect(socket.readyState).toBe('closing');
    // Progress before the last subscriber left counts once.
    scheduler.tick(1001);
    await expect.poll(() => socket.readyState).toBe('closed');
    const report = await socket.close();
    expect(report).toMatchObject({ by: 'local', how: 'timeout' });
    expect(report.bytesUnsent).toBeGreaterThan(0);
    peer.resume();
  });

  test('ends a flush that makes no progress, although the peer sends bytes', async () => {
    const { socket, peer, scheduler } = await leftFull();
    for (let sent = 1; sent <= 2; sent++) {
      scheduler.tick(700);
      peer.write('x');
      await expect.poll(() => socket.bytesRead).toBe(sent);
    }
    scheduler.tick(700);
    await expect.poll(() => socket.readyState).toBe('closed');
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'timeout' });
  });

  test('is also the limit of close() without a time limit: it ends what makes no progress', async () => {
    const { socket, peer, scheduler } = await left({ lingerTimeout: 1000 });
    const closed = socket.close();
    expect((await drainRaw(peer)).end).toBe('end');
    for (let sent = 1; sent <= 3; sent++) {
      scheduler.tick(999);
      peer.write('x');
      await expect.poll(() => socket.bytesRead).toBe(sent);
    }
    expect(socket.readyState).toBe('closing');
    scheduler.tick(1000);
    expect(await closed).toMatchObject({ by: 'local', how: 'timeout' });
  });

  test('is replaced by the time limit of a close() that follows', async () => {
    const { socket, peer, scheduler } = await left({ lingerTimeout: 1000 });
    scheduler.tick(0);
    const closed = socket.close({ timeout: 5000 });
    expect((await drainRaw(peer)).end).toBe('end');
    scheduler.tick(4999);
    await turns();
    expect(socket.readyState).toBe('closing');
    scheduler.tick(1);
    expect(await closed).toMatchObject({ by: 'local', how: 'timeout' });
  });

  test('lets a long write to a slow peer continue while it makes progress', async () => {
    const server = await rawServer();
    const socket = dial({ port: server.port, lingerTimeout: 200 });
    const { subscription } = record(socket);
    const [peer] = await Promise.all([server.next(), opened(socket)]);
    socket.next(Buffer.alloc(24_000_000));
    subscription.unsubscribe();
    let total = 0;
    let end = '';
    peer.on('end', () => {
      end = 'end';
    });
    peer.on('error', () => {
      end = 'reset';
    });
    peer.on('data', (chunk: Buffer) => {
      total += chunk.length;
      peer.pause();
      setTimeout(() => peer.resume(), 1);
    });
    peer.resume();
    await expect.poll(() => end, { timeout: 15_000 }).not.toBe('');
    expect([total, end]).toEqual([24_000_000, 'end']);
    peer.end();
  });
});
