// The write side of a reconnecting socket: what waits, what is lost with its connection, and how it ends.
import { Duplex } from 'node:stream';
import { fromDuplex, on, type ReconnectEvent, type ReconnectingSocket, reconnect } from '@rxsock/core';
import { tap } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { closedPort, drainRaw, type RawServer, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { reconnectingTo, recordEvents, type TestReconnecting } from '../support/reconnecting.js';

/** A reconnecting socket that waits for its next attempt, and the server that this attempt will reach. */
async function away(
  options = {},
): Promise<TestReconnecting & { server: RawServer; values: unknown[]; ended: Promise<object> }> {
  const server = await rawServer();
  const ports = [await closedPort()];
  const setup = reconnectingTo(() => ports.shift() ?? server.port, options);
  const { values, ended, log } = recordEvents(setup);
  await expect.poll(() => log).toContain('retry');
  return { ...setup, server, values, ended };
}

/** Waits for exactly this many bytes. */
async function received(
  peer: { on(event: 'data', listener: (chunk: Buffer) => void): unknown; resume(): unknown },
  length: number,
) {
  let text = '';
  peer.on('data', (chunk) => {
    text += chunk;
  });
  peer.resume();
  await expect.poll(() => text.length).toBeGreaterThanOrEqual(length);
  await turns();
  return text;
}

describe('while there is no connection', () => {
  test('writes wait in order, and what a connect handler writes goes ahead of them', async () => {
    const { reconnecting, clock, server } = await away();
    record(
      reconnecting.pipe(
        on('connect'),
        tap(() => reconnecting.next('login ')),
      ),
    );
    expect(reconnecting.next('one ')).toBe(true);
    const written = reconnecting.write('two ');
    reconnecting.next('three');
    expect(reconnecting.writableLength).toBe(13);
    clock.tick(100);
    const peer = await server.next();
    expect(await received(peer, 19)).toBe('login one two three');
    await written;
    expect(reconnecting.writableLength).toBe(0);
  });

  test('writes before the first subscription are sent too, and next() does not dial', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    setup.reconnecting.next('early');
    expect(setup.reconnecting.readyState).toBe('idle');
    recordEvents(setup);
    expect(await received(await server.next(), 5)).toBe('early');
  });

  test('write() dials, and the socket continues when the peer has ended, with no subscriber', async () => {
    const server = await rawServer();
    const { reconnecting, clock } = reconnectingTo(server.port);
    await reconnecting.write('one');
    const first = await server.next();
    first.write('what nobody reads');
    first.end();
    await expect.poll(() => reconnecting.readyState).toBe('waiting');
    const written = reconnecting.write('two');
    clock.tick(100);
    await written;
    expect(await received(await server.next(), 3)).toBe('two');
  });

  test('write() also does so after the last subscriber has left', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes, subscription } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    await server.next();
    subscription.unsubscribe();
    setup.clock.tick(0);
    await setup.reconnecting.write('one');
    (await server.next()).end();
    await expect.poll(() => setup.reconnecting.readyState).toBe('waiting');
  });

  test('next() returns false at the high-water mark, and drain follows when there is a connection', async () => {
    const { reconnecting, clock, server, values } = await away();
    const types = () => (values as ReconnectEvent[]).map(({ type }) => type);
    expect(reconnecting.next(Buffer.alloc(65_535))).toBe(true);
    expect(reconnecting.next('x')).toBe(false);
    expect(types()).not.toContain('drain');
    clock.tick(100);
    const peer = await server.next();
    await expect.poll(types).toContain('drain');
    expect(types().filter((type) => type === 'drain')).toHaveLength(1);
    expect((await received(peer, 65_536)).length).toBe(65_536);
  });

  test('a connection gets no more than it has room for, and drain waits for it', async () => {
    const { reconnecting, clock, server, values } = await away({ maxWriteBuffer: 100_000_000 });
    const types = () => (values as ReconnectEvent[]).map(({ type }) => type);
    for (let index = 0; index < 300; index++) reconnecting.next(Buffer.alloc(65_536));
    clock.tick(100);
    const peer = await server.next();
    await turns();
    const passedOn = reconnecting.socket?.writableLength ?? 0;
    expect(passedOn).toBeGreaterThan(0);
    expect(passedOn).toBeLessThanOrEqual(2 * 65_536);
    expect(reconnecting.writableLength).toBeGreaterThan(passedOn);
    expect(types()).not.toContain('drain');
    peer.resume();
    await expect.poll(types).toContain('drain');
  });

  test('one chunk that fills the connection is counted, and drain follows it', async () => {
    const { reconnecting, clock, server, values } = await away();
    const types = () => (values as ReconnectEvent[]).map(({ type }) => type);
    expect(reconnecting.next(Buffer.alloc(20_000_000))).toBe(false);
    clock.tick(100);
    const peer = await server.next();
    await expect.poll(() => reconnecting.socket?.writableLength).toBeGreaterThan(0);
    await turns();
    expect(reconnecting.writableLength).toBe(reconnecting.socket?.writableLength);
    expect(types()).not.toContain('drain');
    peer.resume();
    await expect.poll(types).toContain('drain');
  });

  test('the order is kept when the connection has room again and something still waits', async () => {
    const taken: string[] = [];
    const callbacks: (() => void)[] = [];
    const stream = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        taken.push(String.fromCharCode(chunk[0] as number));
        callbacks.push(done);
      },
    });
    const reconnecting = reconnect(() => fromDuplex(stream));
    onTestFinished(() => reconnecting.error());
    const { log } = record(reconnecting);
    await expect.poll(() => log).toContain('connect');
    for (const letter of 'abc') reconnecting.next(letter.repeat(40_000));
    callbacks.shift()?.();
    await turns(1);
    expect(reconnecting.socket?.writableLength).toBe(40_000);
    reconnecting.next('d');
    while (callbacks.length > 0) {
      callbacks.shift()?.();
      await turns(1);
    }
    expect(taken.join('')).toBe('abcd');
    expect(log).toContain('drain');
  });

  test('a connection that holds exactly its high-water mark has no room', async () => {
    const stream = new Duplex({ read() {}, write() {} });
    const reconnecting = reconnect(() => fromDuplex(stream, { highWaterMark: 10 }));
    onTestFinished(() => reconnecting.error());
    const { log } = record(reconnecting);
    await expect.poll(() => log).toContain('connect');
    reconnecting.next('1234567890');
    reconnecting.next('x');
    expect([reconnecting.writableLength, reconnecting.socket?.writableLength]).toEqual([11, 10]);
  });

  test('an invalid chunk throws and does not harm the socket', async () => {
    const { reconnecting } = await away();
    expect(() => reconnecting.next(5 as never)).toThrow(TypeError);
    expect(() => reconnecting.write(null as never)).toThrow(TypeError);
    expect(reconnecting.readyState).toBe('waiting');
  });
});

describe('maxWriteBuffer', () => {
  const overflow = { code: 'ERR_WRITE_BUFFER_OVERFLOW', limit: 10 };

  test('next() beyond it fails the socket', async () => {
    const { reconnecting, ended } = await away({ maxWriteBuffer: 10 });
    reconnecting.next(Buffer.alloc(10));
    expect(reconnecting.next('y')).toBe(true);
    expect(reconnecting.next('x')).toBe(false);
    expect(await ended).toMatchObject({ error: overflow });
    expect(reconnecting.writableLength).toBe(0);
  });

  test('write() beyond it rejects, and the socket continues', async () => {
    const { reconnecting, clock, server } = await away({ maxWriteBuffer: 10 });
    reconnecting.next('12345678901');
    await expect(reconnecting.write('x')).rejects.toMatchObject(overflow);
    clock.tick(100);
    expect(await received(await server.next(), 11)).toBe('12345678901');
  });

  test.each([
    ['dropNewest', 'aaaaaabbbbbb'],
    ['dropOldest', 'bbbbbbcccccc'],
  ])('%s drops whole chunks and reports them', async (policy, expected) => {
    const { reconnecting, clock, server, values } = await away({ maxWriteBuffer: 10, overflow: policy });
    for (const letter of 'abc') reconnecting.next(letter.repeat(6));
    expect(values.at(-1)).toEqual({ type: 'overflow', bytes: 6 });
    clock.tick(100);
    expect(await received(await server.next(), 12)).toBe(expected);
  });

  test('dropOldest drops as many chunks as needed', async () => {
    const { reconnecting, clock, server, values } = await away({ maxWriteBuffer: 10, overflow: 'dropOldest' });
    for (const chunk of ['aaaa', 'bbbb', 'c'.repeat(30), 'dddd']) reconnecting.next(chunk);
    expect(values.slice(-3)).toEqual([4, 4, 30].map((bytes) => ({ type: 'overflow', bytes })));
    clock.tick(100);
    expect(await received(await server.next(), 4)).toBe('dddd');
  });

  test('dropOldest drops nothing more once exactly maxWriteBuffer waits', async () => {
    const { reconnecting, clock, server, values } = await away({ maxWriteBuffer: 10, overflow: 'dropOldest' });
    for (const chunk of ['a', 'b'.repeat(10), 'c']) reconnecting.next(chunk);
    expect((values as ReconnectEvent[]).filter(({ type }) => type === 'overflow')).toEqual([
      { type: 'overflow', bytes: 1 },
    ]);
    clock.tick(100);
    expect(await received(await server.next(), 11)).toBe('bbbbbbbbbbc');
  });

  test('dropOldest rejects the promise of the writer, and emits nothing', async () => {
    const { reconnecting, values } = await away({ maxWriteBuffer: 10, overflow: 'dropOldest' });
    const oldest = reconnecting.write(Buffer.alloc(6));
    reconnecting.next(Buffer.alloc(6));
    reconnecting.next(Buffer.alloc(6));
    await expect(oldest).rejects.toMatchObject(overflow);
    expect((values as ReconnectEvent[]).map(({ type }) => type)).not.toContain('overflow');
  });

  test('counts the promises of many small write()s', async () => {
    const { reconnecting } = await away({ maxWriteBuffer: 100_000 });
    const writes = Array.from({ length: 2_000 }, () => reconnecting.write('x').catch(({ code }) => code));
    expect(await Promise.race(writes)).toBe('ERR_WRITE_BUFFER_OVERFLOW');
    expect(reconnecting.writableLength).toBeGreaterThan(1_024);
    expect(reconnecting.writableLength).toBeLessThan(1_024 + 100_000 / 400);
  });

  test('counts what a slow peer does not take', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port, { maxWriteBuffer: 1_000_000 });
    const { eventTypes, ended } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    while (setup.reconnecting.readyState === 'open') setup.reconnecting.next(Buffer.alloc(500_000));
    expect((await ended).error).toMatchObject({ code: 'ERR_WRITE_BUFFER_OVERFLOW', limit: 1_000_000 });
  });
});

describe('a cut', () => {
  test('loses what the connection was given, keeps the rest, and sends nothing twice', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port, { maxWriteBuffer: 100_000_000 });
    const { eventTypes, values } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    const first = await server.next();
    const outcomes: Promise<string>[] = [];
    const messages = 200;
    for (let index = 0; index < messages; index++) {
      const message = Buffer.alloc(65_536, `${String(index).padStart(3)} `);
      outcomes.push(
        setup.reconnecting.write(message).then(
          () => 'sent',
          (error: { code: string }) => error.code,
        ),
      );
    }
    // FIN comes after the queued bytes, so that another connection is needed for it.
    setup.reconnecting.complete();
    first.resetAndDestroy();
    await expect.poll(eventTypes).toContain('retry');
    setup.clock.tick(100);
    const second = await server.next();
    const { bytes } = await drainRaw(second);
    const settled = await Promise.all(outcomes);
    const lost = settled.indexOf('ECONNRESET') >= 0 ? 'ECONNRESET' : 'EPIPE';
    const passedOn = settled.lastIndexOf(lost) + 1;
    expect(passedOn).toBeGreaterThan(0);
    expect(passedOn).toBeLessThan(messages);
    expect(settled.slice(passedOn).every((outcome) => outcome === 'sent')).toBe(true);
    expect(bytes.length).toBe((messages - passedOn) * 65_536);
    expect(bytes.subarray(0, 3).toString()).toBe(String(passedOn).padStart(3));
    const { report } = (values as ReconnectEvent[]).find(({ type }) => type === 'disconnect') as never as {
      report: { bytesUnsent: number };
    };
    expect(report.bytesUnsent).toBeGreaterThan(0);
  });

  test('after next() returned false is followed by drain', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port, { maxWriteBuffer: 100_000_000 });
    const { eventTypes } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    while (setup.reconnecting.next(Buffer.alloc(65_536)));
    (await server.next()).resetAndDestroy();
    await expect.poll(eventTypes).toContain('retry');
    setup.clock.tick(100);
    await expect.poll(eventTypes).toContain('drain');
  });

  test('after next() returned false is followed by drain once, not at every later connection', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port, { maxWriteBuffer: 100_000_000 });
    const { eventTypes } = recordEvents(setup);
    const count = (type: string) => eventTypes().filter((each) => each === type).length;
    await expect.poll(eventTypes).toContain('connect');
    while (setup.reconnecting.next(Buffer.alloc(65_536)));
    for (let cut = 1; cut <= 2; cut++) {
      (await server.next()).resetAndDestroy();
      await expect.poll(() => count('retry')).toBe(cut);
      setup.clock.tick(1000);
      await expect.poll(() => count('connect')).toBe(cut + 1);
      await turns();
      expect(count('drain')).toBe(1);
    }
  });

  test('by FIN: bytes written before it is reported go to the next connection', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    record(
      setup.reconnecting.pipe(
        on('finish'),
        tap(() => setup.reconnecting.next('late')),
      ),
    );
    const { eventTypes } = recordEvents(setup);
    const first = await server.next();
    await expect.poll(eventTypes).toContain('connect');
    first.end();
    await expect.poll(eventTypes).toContain('retry');
    expect(await drainRaw(first)).toEqual({ bytes: Buffer.alloc(0), end: 'end' });
    setup.clock.tick(100);
    expect(await received(await server.next(), 4)).toBe('late');
  });
});

describe('the end', () => {
  test('complete() sends FIN, reading continues, and the socket dials no more', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes, ended, values } = recordEvents(setup);
    setup.reconnecting.next('request');
    setup.reconnecting.complete();
    const peer = await server.next();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('request'), end: 'end' });
    peer.end('answer');
    expect(await ended).toEqual({});
    expect(values).toContainEqual({ type: 'data', data: Buffer.from('answer') });
    expect(eventTypes()).toEqual(['connect', 'finish', 'data', 'end', 'disconnect', 'complete']);
    setup.clock.tick(1e9);
    await turns();
    expect(server.peers).toHaveLength(1);
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    for (let count = 0; count < 1000; count++) expect(setup.reconnecting.next('late')).toBe(false);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ERR_STREAM_WRITE_AFTER_END' }));
    warn.mockRestore();
    await expect(setup.reconnecting.write('late')).rejects.toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
  });

  test('complete() without a subscriber dials for the queued bytes', async () => {
    const server = await rawServer();
    const { reconnecting } = reconnectingTo(server.port);
    reconnecting.next('bye');
    reconnecting.complete();
    const peer = await server.next();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('bye'), end: 'end' });
    peer.end();
    await expect.poll(() => reconnecting.readyState).toBe('closed');
  });

  test('complete() while disconnected continues to dial for the queued bytes', async () => {
    const { reconnecting, clock, server, ended } = await away();
    reconnecting.next('kept');
    reconnecting.complete();
    expect(reconnecting.readyState).toBe('waiting');
    clock.tick(100);
    const peer = await server.next();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('kept'), end: 'end' });
    peer.end();
    expect(await ended).toEqual({});
  });

  test('complete() while disconnected, with nothing to send, ends the socket', async () => {
    const { reconnecting, ended } = await away();
    reconnecting.complete();
    expect(await ended).toEqual({});
  });

  test('a cut after complete() is an error, because an answer may be missing', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes, ended } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    setup.reconnecting.complete();
    (await server.next()).resetAndDestroy();
    expect((await ended).error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('error() resets the connection and rejects the queued writes', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes, ended } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    const reason = new Error('enough');
    setup.reconnecting.error(reason);
    expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED', cause: reason });
    expect((await drainRaw(await server.next())).end).toBe('ECONNRESET');
    expect(setup.reconnecting.next('late')).toBe(false);
    await expect(setup.reconnecting.write('late')).rejects.toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    const waiting = await away();
    const written = waiting.reconnecting.write('x');
    waiting.reconnecting.error();
    await expect(written).rejects.toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
  });

  test('close() flushes, sends FIN, and resolves when the peer has ended too', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes, ended, subscription } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    const peer = await server.next();
    setup.reconnecting.hold('a test');
    peer.write('what nobody reads');
    setup.reconnecting.next('bye');
    const closed = setup.reconnecting.close();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('bye'), end: 'end' });
    peer.end();
    await closed;
    expect(await ended).toEqual({});
    subscription.unsubscribe();
    await setup.reconnecting.close();
  });

  test('close() with a timeout gives up on a peer that does not end, and on one that is away', async () => {
    const server = await rawServer();
    const open = reconnectingTo(server.port);
    const { eventTypes, ended } = recordEvents(open);
    await expect.poll(eventTypes).toContain('connect');
    const waiting = await away();
    waiting.reconnecting.next('x');
    for (const { reconnecting, clock, over } of [
      { ...open, over: ended },
      { ...waiting, over: waiting.ended },
    ]) {
      const closed = reconnecting.close({ timeout: 99 });
      clock.tick(98);
      expect(reconnecting.readyState).not.toBe('closed');
      clock.tick(1);
      await closed;
      expect(await over).toMatchObject({
        error: { name: 'SocketTimeoutError', timeout: 'close({ timeout })', milliseconds: 99 },
      });
    }
    expect(() => open.reconnecting.close({ timeout: -1 })).toThrow(RangeError);
  });

  test('close({ timeout: 0 }) aborts, and close() of a socket that was never used resolves at once', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    await setup.reconnecting.close({ timeout: 0 });
    expect((await drainRaw(await server.next())).end).toBe('ECONNRESET');
    {
      await using unused = reconnectingTo(server.port).reconnecting;
      expect(unused.readyState).toBe('idle');
    }
    expect(server.peers).toHaveLength(1);
  });

  test('close() after the last subscriber has left still flushes', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes, subscription } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    subscription.unsubscribe();
    const written = setup.reconnecting.write('bye');
    const closed = setup.reconnecting.close();
    setup.clock.tick(0);
    expect(record(setup.reconnecting).log).toEqual(['connect']);
    const peer = await server.next();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('bye'), end: 'end' });
    await written;
    peer.end();
    await closed;
  });

  test('unsubscribing after complete() ends the socket', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port);
    const { eventTypes, subscription } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    setup.reconnecting.complete();
    subscription.unsubscribe();
    setup.clock.tick(0);
    expect(setup.reconnecting.readyState).toBe('closed');
    expect((await drainRaw(await server.next())).end).toBe('end');
    const { log } = record(setup.reconnecting);
    setup.clock.tick(0);
    expect(log).toEqual(['complete']);
  });

  test('unsubscribing with bytes queued loses them and emits a warning', async () => {
    const server = await rawServer();
    const ports = [await closedPort()];
    const setup = reconnectingTo(() => ports.shift() ?? server.port);
    const { log, subscription } = recordEvents(setup);
    await expect.poll(() => log).toContain('retry');
    const written = setup.reconnecting.write('with a promise');
    setup.reconnecting.next('without');
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    subscription.unsubscribe();
    setup.clock.tick(0);
    await expect(written).rejects.toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ERR_SOCKET_CLOSED' }));
    warn.mockRestore();
    expect(setup.reconnecting.writableLength).toBe(0);
  });

  test('a socket that fails with bytes queued and no subscriber emits a warning', async () => {
    const setup = reconnectingTo(await closedPort(), { maxRetries: 0 });
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    setup.reconnecting.next('without');
    await expect(setup.reconnecting.write('with a promise')).rejects.toMatchObject({ code: 'ERR_RECONNECT_EXHAUSTED' });
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ERR_RECONNECT_EXHAUSTED' }));
    const subscribed = reconnectingTo(await closedPort(), { maxRetries: 0 });
    subscribed.reconnecting.next('without');
    await recordEvents(subscribed).ended;
    const aborted = reconnectingTo(await closedPort());
    aborted.reconnecting.next('without');
    aborted.reconnecting.error();
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });

  test('unsubscribing from an open connection that is full flushes everything', async () => {
    const server = await rawServer();
    const setup = reconnectingTo(server.port, { maxWriteBuffer: 100_000_000 });
    const { eventTypes, subscription } = recordEvents(setup);
    await expect.poll(eventTypes).toContain('connect');
    for (let index = 0; index < 100; index++) setup.reconnecting.next(Buffer.alloc(65_536));
    subscription.unsubscribe();
    setup.clock.tick(0);
    const { bytes, end } = await drainRaw(await server.next());
    expect([bytes.length, end]).toEqual([6_553_600, 'end']);
  });

  test.each([
    ['complete()', (reconnecting: ReconnectingSocket) => reconnecting.complete(), 'complete'],
    ['error()', (reconnecting: ReconnectingSocket) => reconnecting.error(), 'error:ERR_SOCKET_ABORTED'],
  ])('a disconnect handler may end the socket by %s', async (_how, end, expected) => {
    const server = await rawServer((peer) => peer.end());
    const { reconnecting, clock } = reconnectingTo(server.port);
    const { ended, log } = record(reconnecting);
    record(
      reconnecting.pipe(
        on('disconnect'),
        tap(() => end(reconnecting)),
      ),
    );
    await ended;
    expect(log.slice(-2)).toEqual(['disconnect', expected]);
    clock.tick(1e9);
    await turns();
    expect(server.peers).toHaveLength(1);
    expect(reconnecting.readyState).toBe('closed');
  });
});
