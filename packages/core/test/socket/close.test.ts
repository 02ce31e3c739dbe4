// close(), error(), and the report of how a connection ended.
import { type CloseReport, connect, data, lines, type Socket, writeTo } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { concat, NEVER, of, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { drainRaw, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { watchWarnings } from '../support/warnings.js';

const MEGABYTE = Buffer.alloc(1_000_000);

describe('close()', () => {
  test("flushes, sends FIN, and waits for the peer's FIN", async () => {
    const { socket, peer } = await pair();
    for (let i = 0; i < 5; i++) socket.next(MEGABYTE);
    const report = socket.close();
    expect(socket.readyState).toBe('closing');
    const { bytes, end } = await drainRaw(peer);
    expect([bytes.length, end]).toEqual([5_000_000, 'end']);
    peer.end();
    expect(await report).toMatchObject({ by: 'local', how: 'fin', bytesWritten: 5_000_000, bytesUnsent: 0 });
    expect(socket.readyState).toBe('closed');
  });

  test('still delivers to readers what arrives meanwhile', async () => {
    const { socket, peer } = await pair();
    const bytes = record(socket.pipe(data()));
    const report = socket.close();
    await drainRaw(peer);
    peer.end('late');
    expect(await report).toMatchObject({ how: 'fin', bytesRead: 4 });
    expect(bytes.log).toEqual(['late', 'complete']);
  });

  test('drops what is held', async () => {
    const { socket, peer } = await pair();
    const { log } = record(socket);
    socket.hold();
    peer.end(Buffer.alloc(500_000));
    const report = await socket.close();
    expect(report).toMatchObject({ how: 'fin', bytesRead: 500_000 });
    expect(log).not.toContain('data');
  });

  test('drops what is held by a subscriber that closes while it receives a chunk', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true, highWaterMark: 10, lingerTimeout: 1000 });
    const release = socket.hold('the test');
    const { log, ended } = record(socket);
    socket.complete();
    expect((await drainRaw(peer)).end).toBe('end');
    peer.write('first');
    await expect.poll(() => socket.readableLength).toBe(5);
    peer.end(Buffer.alloc(65_536));
    await expect.poll(() => socket.readableLength).toBeGreaterThan(10);
    const reports: Promise<CloseReport>[] = [];
    const close = tap(() => {
      socket.hold('again');
      reports.push(socket.close());
    });
    record(socket.pipe(data(), close));
    release();
    expect(await Promise.all(reports)).toMatchObject([{ by: 'local', how: 'fin' }]);
    expect(await ended).toEqual({});
    expect(log.filter((type) => type === 'data')).toHaveLength(1);
  });

  test('aborts at once with a timeout of 0', async () => {
    const { socket, peer } = await pair();
    const { log } = record(socket);
    const closed = socket.close({ timeout: 0 });
    expect(socket.readyState).not.toBe('open');
    expect(await closed).toMatchObject({ by: 'local', how: 'abort' });
    expect(log.at(-1)).toBe('error:ERR_SOCKET_ABORTED');
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
  });

  test('aborts after the timeout', async () => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ scheduler });
    const { log, ended } = record(socket);
    const report = socket.close({ timeout: 300 });
    expect((await drainRaw(peer)).end).toBe('end');
    scheduler.tick(299);
    await turns();
    expect(socket.readyState).toBe('closing');
    scheduler.tick(1);
    expect(await report).toMatchObject({ by: 'local', how: 'timeout' });
    expect((await ended).error).toMatchObject({ code: 'ETIMEDOUT' });
    expect(log.slice(-2)).toEqual(['close', 'error:ETIMEDOUT']);
  });

  test.each(['halfOpenTimeout', 'idleTimeout'])('the timeout replaces %s', async (limit) => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ allowHalfOpen: true, [limit]: 1000, scheduler });
    const { log, ended } = record(socket);
    if (limit === 'halfOpenTimeout') {
      peer.end();
      await expect.poll(() => log).toContain('end');
    }
    // More than the kernels take: the peer does not read.
    socket.next(Buffer.alloc(32 * 1024 * 1024));
    void socket.close({ timeout: 5000 });
    const release = socket.hold('busy');
    scheduler.tick(500);
    release();
    scheduler.tick(4499);
    await turns();
    expect(socket.readyState).toBe('closing');
    scheduler.tick(1);
    expect((await ended).error).toMatchObject({ timeout: 'close({ timeout })' });
  });

  test('the timeout replaces idleTimeout also if it is called while the socket opens', async () => {
    const scheduler = new VirtualClock();
    const { port } = await rawServer();
    const socket = connect({ port, idleTimeout: 1000, scheduler });
    const { ended } = record(socket);
    socket.next('x');
    void socket.close({ timeout: 5000 });
    await expect.poll(() => socket.bytesWritten).toBe(1);
    scheduler.tick(4999);
    await turns();
    expect(socket.readyState).toBe('closing');
    scheduler.tick(1);
    expect((await ended).error).toMatchObject({ timeout: 'close({ timeout })' });
  });

  test('holdTimeout does not run any more: what a holder does not take is dropped', async () => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ holdTimeout: 1000, scheduler });
    record(socket);
    socket.hold('busy');
    scheduler.tick(500);
    void socket.close({ timeout: 5000 });
    socket.hold('busy too');
    scheduler.tick(4000);
    await turns();
    expect(socket.readyState).toBe('closing');
    peer.resume().end();
    await expect.poll(() => socket.readyState).toBe('closed');
  });

  test('called again restarts the timeout, and all callers get the same report', async () => {
    const scheduler = new VirtualClock();
    const { socket } = await pair({ scheduler });
    const reports = [socket.close({ timeout: 300 }), socket.close({ timeout: 1000 })];
    scheduler.tick(999);
    await turns();
    expect(socket.readyState).toBe('closing');
    scheduler.tick(1);
    const [first, second] = await Promise.all(reports);
    expect(second).toBe(first);
    expect(await socket.close()).toBe(first);
  });

  test('leaves no timer behind', async () => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ scheduler });
    const report = socket.close({ timeout: 60_000 });
    void socket.close({ timeout: 90_000 });
    peer.end();
    peer.resume();
    await report;
    const timers = scheduler.actions.filter((action) => !action.closed);
    expect(timers).toEqual([]);
  });

  test('is called at the end of an await-using block', async () => {
    const { socket, peer } = await pair();
    peer.end();
    peer.resume();
    {
      await using closing = socket;
      closing.next('x');
    }
    expect(socket.readyState).toBe('closed');
  });

  test.each([-1, Number.NaN])('rejects a timeout of %d at the call', async (timeout) => {
    const { socket } = await pair();
    expect(() => socket.close({ timeout })).toThrow(RangeError);
  });
});

test('frames that wait for a later turn are not dropped by close()', async () => {
  const { socket, peer } = await pair();
  const { values, ended } = record(
    socket.pipe(
      data(),
      lines(),
      tap(() => {
        // A few lines use up a turn.
        for (const start = performance.now(); performance.now() - start < 1; );
      }),
    ),
  );
  void socket.close();
  // More than Node reads at once, so that a chunk arrives while the lines of the one before it wait.
  const line = `${'x'.repeat(1999)}\n`;
  peer.end(line.repeat(100));
  peer.resume();
  await ended;
  expect(values.length).toBe(100);
});

describe('the report says', () => {
  test('that the peer ended with a FIN', async () => {
    const { socket, peer } = await pair();
    const { ended } = record(socket);
    peer.end('abc');
    peer.resume();
    await ended;
    expect(await socket.close()).toMatchObject({ by: 'peer', how: 'fin', bytesRead: 3, bytesWritten: 0 });
  });

  test('that the peer reset', async () => {
    const { socket, peer } = await pair();
    const { ended } = record(socket);
    peer.resetAndDestroy();
    await ended;
    expect(await socket.close()).toMatchObject({ by: 'peer', how: 'reset' });
  });

  test('that this side aborted', async () => {
    const { socket, peer } = await pair();
    const { ended } = record(socket);
    socket.error('enough');
    expect((await ended).error).toMatchObject({ name: 'AbortedError', cause: 'enough' });
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'abort' });
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
  });

  test('how long the connection was open', async () => {
    const scheduler = new VirtualClock();
    scheduler.tick(1000);
    const { socket, peer } = await pair({ scheduler });
    const { ended } = record(socket);
    expect(socket.openedAt).toBe(1000);
    scheduler.tick(250);
    peer.end('abc');
    peer.resume();
    await ended;
    expect(socket.lastReadAt).toBe(1250);
    expect(await socket.close()).toMatchObject({ duration: 250 });
  });

  test('how many bytes were never sent', async () => {
    const { socket } = await pair();
    const { ended } = record(socket);
    for (let i = 0; i < 30; i++) socket.next(MEGABYTE);
    await turns();
    socket.error();
    await ended;
    const { bytesWritten, bytesUnsent } = await socket.close();
    expect(bytesWritten + bytesUnsent).toBe(30_000_000);
    expect(bytesUnsent).toBeGreaterThan(10_000_000);
  });
});

describe('warnings', () => {
  test('are emitted for lost bytes that no caller learns about', async () => {
    const warn = watchWarnings();
    const { socket, peer } = await pair();
    for (let i = 0; i < 20; i++) socket.next(MEGABYTE);
    peer.resetAndDestroy();
    expect(await socket.close()).toMatchObject({ how: 'reset' });
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ code: 'ECONNRESET' }));
  });

  const TWENTY = Buffer.alloc(20_000_000);
  const noticed: Record<string, (socket: Socket) => void> = {
    'a subscriber receives the error': (socket) => {
      record(socket);
      socket.next(TWENTY);
    },
    'the promise of a write is rejected': (socket) => void socket.write(TWENTY).catch(() => {}),
    'writeTo() fails': (socket) => void record(concat(of(TWENTY), NEVER).pipe(writeTo(socket))),
    'nothing was lost': () => {},
  };
  test.each(Object.entries(noticed))('are not emitted if %s', async (_, write) => {
    const warn = watchWarnings();
    const { socket, peer } = await pair();
    write(socket);
    peer.resetAndDestroy();
    expect(await socket.close()).toMatchObject({ how: 'reset' });
    expect(warn).not.toHaveBeenCalled();
  });

  test('are bounded, because peers can cause as many losses as they like', async () => {
    const warn = watchWarnings();
    for (let i = 0; i < 15; i++) {
      const { socket, peer } = await pair();
      socket.next(Buffer.alloc(20_000_000));
      peer.resetAndDestroy();
      await socket.close();
    }
    const warnings = warn.mock.calls.map(([warning]) => warning);
    expect(warnings).toHaveLength(11);
    expect(warnings.at(-1)).toMatch(/^Further connections that lose bytes with ECONNRESET are not reported/);
  });

  test('are not emitted for a deliberate abort', async () => {
    const warn = watchWarnings();
    const { socket } = await pair();
    for (let i = 0; i < 20; i++) socket.next(MEGABYTE);
    socket.error();
    await socket.close();
    expect(warn).not.toHaveBeenCalled();
  });
});

test.each([
  ['error() with a string', async (socket: Socket) => socket.error('enough')],
  ['error() with an error', async (socket: Socket) => socket.error(new Error('enough'))],
])('the reason of an abort is in the message: %s', async (_what, abort) => {
  const { socket } = await pair();
  const { ended } = record(socket);
  await abort(socket);
  expect((await ended).error).toMatchObject({ message: expect.stringMatching(/aborted from this side: enough$/) });
});
