// The time limits, on a virtual clock.
import { Duplex } from 'node:stream';
import { fromDuplex, SocketTimeoutError } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { dial, drainRaw, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { hanging } from '../support/dials.js';

async function timed(options: Parameters<typeof pair>[0] = {}) {
  const scheduler = new VirtualClock();
  const { socket, peer } = await pair({ scheduler, ...options });
  return { socket, peer, scheduler, ...record(socket) };
}

describe('idleTimeout', () => {
  test('emits timeout, then fails', async () => {
    const { log, ended, scheduler } = await timed({ idleTimeout: 1000 });
    scheduler.tick(999);
    expect(log).toEqual(['connect']);
    scheduler.tick(1);
    const { error } = await ended;
    expect(error).toBeInstanceOf(SocketTimeoutError);
    expect(error).toMatchObject({ timeout: 'idleTimeout', milliseconds: 1000, phase: 'read' });
    expect(log).toEqual(['connect', 'timeout', 'close', 'error:ETIMEDOUT']);
  });

  test('restarts at bytes read and bytes written', async () => {
    const { socket, peer, log, scheduler } = await timed({ idleTimeout: 1000 });
    scheduler.tick(900);
    peer.write('x');
    await expect.poll(() => log).toContain('data');
    scheduler.tick(900);
    await socket.write('y');
    await expect.poll(() => socket.lastWriteAt).toBe(1800);
    scheduler.tick(900);
    expect(log).not.toContain('timeout');
    scheduler.tick(100);
    expect(log).toContain('timeout');
  });

  test('does not run while held', async () => {
    const { socket, log, scheduler } = await timed({ idleTimeout: 1000 });
    const release = socket.hold();
    scheduler.tick(100_000);
    release();
    scheduler.tick(999);
    expect(log).toEqual(['connect']);
    scheduler.tick(1);
    expect(log).toContain('timeout');
  });

  test('gives a silent peer up although somebody holds for a moment now and then', async () => {
    const { socket, log, scheduler } = await timed({ idleTimeout: 1000 });
    for (let holds = 0; holds < 99; holds++) {
      scheduler.tick(10);
      const release = socket.hold();
      scheduler.tick(5);
      release();
    }
    scheduler.tick(9);
    expect(log).toEqual(['connect']);
    scheduler.tick(1);
    expect(log).toContain('timeout');
  });

  test('has its full time after bytes that came during a hold', async () => {
    const { socket, peer, log, scheduler } = await timed({ idleTimeout: 1000 });
    scheduler.tick(900);
    const release = socket.hold();
    peer.write('x');
    await expect.poll(() => socket.bytesRead).toBe(1);
    scheduler.tick(5000);
    release();
    scheduler.tick(999);
    expect(log).toEqual(['connect', 'data']);
    scheduler.tick(1);
    expect(log).toContain('timeout');
  });

  test('does not run before the socket is open, and not while it opens held', async () => {
    const server = await rawServer();
    const scheduler = new VirtualClock();
    const { lookup, answer } = hanging();
    const socket = dial({ port: server.port, host: 'a.test', lookup, scheduler, idleTimeout: 1000, connectTimeout: 0 });
    const { log } = record(socket);
    socket.hold()();
    scheduler.tick(5000);
    const release = socket.hold();
    answer('127.0.0.1');
    await expect.poll(() => socket.readyState).toBe('open');
    scheduler.tick(5000);
    release();
    scheduler.tick(999);
    expect(log).not.toContain('timeout');
    scheduler.tick(1);
    expect(log).toContain('timeout');
  });

  test('is off by default', async () => {
    const { socket, scheduler } = await timed();
    scheduler.tick(1e9);
    expect(socket.readyState).toBe('open');
  });
});

describe('holdTimeout', () => {
  test('fails the socket and names its holders', async () => {
    const { socket, ended, scheduler } = await timed({ holdTimeout: 1000 });
    socket.hold('the database');
    socket.hold('the disk');
    scheduler.tick(1000);
    const { error } = await ended;
    expect(error).toMatchObject({ timeout: 'holdTimeout' });
    expect((error as Error).message).toContain('the database, the disk');
  });

  test('measures one stretch: a release stops it', async () => {
    const { socket, scheduler } = await timed({ holdTimeout: 1000 });
    for (let i = 0; i < 3; i++) {
      const release = socket.hold();
      scheduler.tick(999);
      release();
    }
    scheduler.tick(5000);
    expect(socket.readyState).toBe('open');
  });
});

test.each(['idleTimeout', 'holdTimeout'])('no timer of %s is left when the socket has closed', async (name) => {
  const { socket, ended, scheduler } = await timed({ [name]: 1000 });
  if (name === 'holdTimeout') socket.hold();
  expect(scheduler.actions).toHaveLength(1);
  socket.error();
  await ended;
  expect(scheduler.actions).toEqual([]);
});

test('a hold on a closed socket starts no timer', async () => {
  const { socket, ended, scheduler } = await timed({ holdTimeout: 1000 });
  socket.error();
  await ended;
  socket.hold('too late');
  expect(scheduler.actions).toEqual([]);
});

describe('halfOpenTimeout', () => {
  test('runs after the FIN of the peer while our side is open', async () => {
    const { peer, log, ended, scheduler } = await timed({ allowHalfOpen: true, halfOpenTimeout: 1000 });
    scheduler.tick(5000);
    peer.end();
    await expect.poll(() => log).toContain('end');
    scheduler.tick(999);
    expect(log.at(-1)).toBe('end');
    scheduler.tick(1);
    expect((await ended).error).toMatchObject({ timeout: 'halfOpenTimeout' });
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
  });

  test('restarts at write progress', async () => {
    const { socket, peer, log, scheduler } = await timed({ allowHalfOpen: true, halfOpenTimeout: 1000 });
    peer.end();
    await expect.poll(() => log).toContain('end');
    for (const _ of Array(3)) {
      scheduler.tick(900);
      await socket.write('x');
      await expect.poll(() => socket.lastWriteAt).toBe(scheduler.now());
    }
    expect(socket.readyState).toBe('writeOnly');
    scheduler.tick(1000);
    expect(socket.readyState).toBe('closing');
  });

  test('does not run while held: a slow consumer still gets everything', async () => {
    const { socket, peer, log, ended, scheduler } = await timed({ halfOpenTimeout: 1000 });
    const release = socket.hold('slow');
    peer.end('abc');
    peer.resume();
    await expect.poll(() => socket.readyState).toBe('writeOnly');
    scheduler.tick(100_000);
    release();
    expect(await ended).toEqual({});
    expect(log).toEqual(['connect', 'data', 'end', 'finish', 'close', 'complete']);
  });

  test('goes on after each hold with the time that is left', async () => {
    const { socket, peer, log, ended, scheduler } = await timed({ allowHalfOpen: true, halfOpenTimeout: 1000 });
    peer.end();
    await expect.poll(() => log).toContain('end');
    for (let holds = 0; holds < 99; holds++) {
      scheduler.tick(10);
      const release = socket.hold();
      scheduler.tick(500);
      release();
    }
    scheduler.tick(9);
    expect(log.at(-1)).toBe('end');
    scheduler.tick(1);
    expect((await ended).error).toMatchObject({ timeout: 'halfOpenTimeout' });
  });

  test('also runs where nobody reads the bytes before the FIN', async () => {
    const { socket, peer, subscription, scheduler } = await timed({ halfOpenTimeout: 1000, allowHalfOpen: true });
    subscription.unsubscribe();
    peer.end('abc');
    await expect.poll(() => socket.readyState).toBe('writeOnly');
    scheduler.tick(1000);
    expect(await socket.close()).toMatchObject({ how: 'timeout' });
  });
});

test('halfOpenTimeout also runs while a stream keeps back the FIN that it was given', async () => {
  const stuck = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done(), final: () => {} });
  const scheduler = new VirtualTimeScheduler();
  const socket = fromDuplex(stuck, { halfOpenTimeout: 1000, scheduler });
  const { ended } = record(socket);
  await turns(1);
  stuck.push(null);
  await turns(2);
  scheduler.flush();
  expect((await ended).error).toMatchObject({ timeout: 'halfOpenTimeout' });
});

describe('finTimeout', () => {
  test('runs after our own FIN while nobody reads', async () => {
    const { socket, peer, subscription, scheduler } = await timed({ finTimeout: 1000 });
    subscription.unsubscribe();
    socket.complete();
    expect((await drainRaw(peer)).end).toBe('end');
    await expect.poll(() => socket.readyState).toBe('readOnly');
    scheduler.tick(999);
    expect(socket.readyState).toBe('readOnly');
    scheduler.tick(1);
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'timeout' });
  });

  test('restarts at write progress', async () => {
    const scheduler = new VirtualClock();
    const takes: (() => void)[] = [];
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, taken) => void takes.push(taken) });
    const socket = fromDuplex(stream, { scheduler, finTimeout: 1000 });
    socket.next('first');
    await expect.poll(() => takes).toHaveLength(1);
    socket.next('second');
    socket.complete();
    scheduler.tick(900);
    takes[0]?.();
    await expect.poll(() => takes).toHaveLength(2);
    scheduler.tick(900);
    expect(socket.readyState).toBe('open');
    takes[1]?.();
    await expect.poll(() => socket.readyState).toBe('readOnly');
    scheduler.tick(1000);
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'timeout' });
  });

  test('does not run, even if the virtual clock continues, when the socket has failed', async () => {
    const scheduler = new VirtualTimeScheduler(undefined, 1e6);
    const { socket } = await pair({ scheduler });
    socket.error();
    scheduler.flush();
    expect(scheduler.frame).toBe(0);
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'abort' });
  });

  test('ends the wait for a peer that sends bytes now and then, when the last subscriber has left', async () => {
    const { socket, peer, subscription, scheduler } = await timed({ keepOpen: false, finTimeout: 5000 });
    subscription.unsubscribe();
    scheduler.tick(0);
    expect((await drainRaw(peer)).end).toBe('end');
    await expect.poll(() => socket.readyState).toBe('closing');
    for (let sent = 1; sent <= 5; sent++) {
      scheduler.tick(999);
      peer.write('x');
      await expect.poll(() => socket.bytesRead).toBe(sent);
    }
    expect(socket.readyState).toBe('closing');
    scheduler.tick(5);
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'timeout' });
  });

  test.each([
    [undefined, 'closed'],
    [Number.POSITIVE_INFINITY, 'closing'],
  ] as const)('limits close({ timeout: %s }) although somebody reads: then it is %s', async (timeout, state) => {
    const { socket, peer, scheduler } = await timed({ finTimeout: 5000 });
    void socket.close({ timeout });
    void socket.close();
    expect((await drainRaw(peer)).end).toBe('end');
    await turns();
    scheduler.tick(4000);
    expect(socket.readyState).toBe('closing');
    scheduler.tick(1000);
    await turns();
    expect(socket.readyState).toBe(state);
    peer.end();
  });

  /** A socket whose FIN is out, and which somebody reads 50 times for 10 ms, with 19 ms in between. */
  async function lookedAt(look?: (peer: { write(text: string): void }) => void) {
    const { socket, peer, subscription, scheduler } = await timed({ finTimeout: 1000, keepOpen: true });
    subscription.unsubscribe();
    socket.complete();
    expect((await drainRaw(peer)).end).toBe('end');
    await expect.poll(() => socket.readyState).toBe('readOnly');
    for (let looks = 1; looks <= 50; looks++) {
      scheduler.tick(19);
      const reader = record(socket);
      look?.(peer);
      if (look) await expect.poll(() => reader.log).toContain('data');
      scheduler.tick(10);
      reader.subscription.unsubscribe();
    }
    return { socket, scheduler };
  }

  test('is not started again by somebody who reads now and then and receives nothing', async () => {
    const { socket, scheduler } = await lookedAt();
    scheduler.tick(49);
    expect(socket.readyState).toBe('readOnly');
    scheduler.tick(1);
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'timeout' });
  });

  test.each(['a reader receives something', 'it is closed'])('begins again when %s', async (what) => {
    const { socket, scheduler } = await lookedAt(what === 'it is closed' ? undefined : (peer) => peer.write('x'));
    if (what === 'it is closed') void socket.close();
    scheduler.tick(999);
    expect(socket.readyState).not.toBe('closed');
    scheduler.tick(1);
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'timeout' });
  });

  test('never cuts a late reply while someone reads', async () => {
    const { socket, peer, log, ended, scheduler } = await timed({ finTimeout: 1000 });
    socket.complete();
    expect((await drainRaw(peer)).end).toBe('end');
    await expect.poll(() => log).toContain('finish');
    scheduler.tick(1e9);
    peer.end('late');
    expect(await ended).toEqual({});
    expect(log).toEqual(['connect', 'finish', 'data', 'end', 'close', 'complete']);
  });
});
