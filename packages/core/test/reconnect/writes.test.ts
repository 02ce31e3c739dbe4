// The write side of a reconnecting link: what waits, what is lost with its connection, and how it ends.
import { Duplex } from 'node:stream';
import { fromDuplex, on, type ReconnectEvent, type ReconnectingSocket, reconnect } from '@rxsock/core';
import { tap } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { closedPort, drainRaw, type RawServer, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { linkTo, type TestLink, tell } from '../support/reconnecting.js';

/** A link that waits for its next attempt, and the server that this one will reach. */
async function away(
  options = {},
): Promise<TestLink & { server: RawServer; values: unknown[]; ended: Promise<object> }> {
  const server = await rawServer();
  const ports = [await closedPort()];
  const test = linkTo(() => ports.shift() ?? server.port, options);
  const { values, ended, log } = tell(test);
  await expect.poll(() => log).toContain('retry');
  return { ...test, server, values, ended };
}

/** Waits for so many bytes and no more. */
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
  test('what is written waits, in order; what a handler of connect writes goes ahead of it', async () => {
    const { link, clock, server } = await away();
    record(
      link.pipe(
        on('connect'),
        tap(() => link.next('login ')),
      ),
    );
    expect(link.next('one ')).toBe(true);
    const written = link.write('two ');
    link.next('three');
    expect(link.writableLength).toBe(13);
    clock.pass(100);
    const peer = await server.next();
    expect(await received(peer, 19)).toBe('login one two three');
    await written;
    expect(link.writableLength).toBe(0);
  });

  test('what is written before the first subscription is sent too, and next() does not dial', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    test.link.next('early');
    expect(test.link.readyState).toBe('idle');
    tell(test);
    expect(await received(await server.next(), 5)).toBe('early');
  });

  test('write() dials, and goes on when the peer has ended, with nobody subscribed', async () => {
    const server = await rawServer();
    const { link, clock } = linkTo(server.port);
    await link.write('one');
    const first = await server.next();
    first.write('what nobody reads');
    first.end();
    await expect.poll(() => link.readyState).toBe('waiting');
    const written = link.write('two');
    clock.pass(100);
    await written;
    expect(await received(await server.next(), 3)).toBe('two');
  });

  test('write() does so too after somebody has been subscribed and has left', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told, subscription } = tell(test);
    await expect.poll(told).toContain('connect');
    await server.next();
    subscription.unsubscribe();
    test.clock.pass(0);
    await test.link.write('one');
    (await server.next()).end();
    await expect.poll(() => test.link.readyState).toBe('waiting');
  });

  test('next() answers false at the mark, and drain follows when there is a connection', async () => {
    const { link, clock, server, values } = await away();
    const types = () => (values as ReconnectEvent[]).map(({ type }) => type);
    expect(link.next(Buffer.alloc(65_535))).toBe(true);
    expect(link.next('x')).toBe(false);
    expect(types()).not.toContain('drain');
    clock.pass(100);
    const peer = await server.next();
    await expect.poll(types).toContain('drain');
    expect(types().filter((type) => type === 'drain')).toHaveLength(1);
    expect((await received(peer, 65_536)).length).toBe(65_536);
  });

  test('a connection is given no more than it has room for, and drain waits for it', async () => {
    const { link, clock, server, values } = await away({ maxWriteBuffer: 100_000_000 });
    const types = () => (values as ReconnectEvent[]).map(({ type }) => type);
    for (let index = 0; index < 300; index++) link.next(Buffer.alloc(65_536));
    clock.pass(100);
    const peer = await server.next();
    await turns();
    const given = link.socket?.writableLength ?? 0;
    expect(given).toBeGreaterThan(0);
    expect(given).toBeLessThanOrEqual(2 * 65_536);
    expect(link.writableLength).toBeGreaterThan(given);
    expect(types()).not.toContain('drain');
    peer.resume();
    await expect.poll(types).toContain('drain');
  });

  test('one chunk that clogs the connection is counted, and drain follows it', async () => {
    const { link, clock, server, values } = await away();
    const types = () => (values as ReconnectEvent[]).map(({ type }) => type);
    expect(link.next(Buffer.alloc(20_000_000))).toBe(false);
    clock.pass(100);
    const peer = await server.next();
    await expect.poll(() => link.socket?.writableLength).toBeGreaterThan(0);
    await turns();
    expect(link.writableLength).toBe(link.socket?.writableLength);
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
    const link = reconnect(() => fromDuplex(stream));
    onTestFinished(() => link.error());
    const { log } = record(link);
    await expect.poll(() => log).toContain('connect');
    for (const letter of 'abc') link.next(letter.repeat(40_000));
    callbacks.shift()?.();
    await turns(1);
    expect(link.socket?.writableLength).toBe(40_000);
    link.next('d');
    while (callbacks.length > 0) {
      callbacks.shift()?.();
      await turns(1);
    }
    expect(taken.join('')).toBe('abcd');
    expect(log).toContain('drain');
  });

  test('a chunk that is none throws, and the link is unharmed', async () => {
    const { link } = await away();
    expect(() => link.next(5 as never)).toThrow(TypeError);
    expect(() => link.write(null as never)).toThrow(TypeError);
    expect(link.readyState).toBe('waiting');
  });
});

describe('maxWriteBuffer', () => {
  const overflow = { code: 'ERR_WRITE_BUFFER_OVERFLOW', limit: 10 };

  test('over it, next() fails the link', async () => {
    const { link, ended } = await away({ maxWriteBuffer: 10 });
    link.next(Buffer.alloc(10));
    expect(link.next('y')).toBe(true);
    expect(link.next('x')).toBe(false);
    expect(await ended).toMatchObject({ error: overflow });
    expect(link.writableLength).toBe(0);
  });

  test('over it, write() rejects and the link goes on', async () => {
    const { link, clock, server } = await away({ maxWriteBuffer: 10 });
    link.next('12345678901');
    await expect(link.write('x')).rejects.toMatchObject(overflow);
    clock.pass(100);
    expect(await received(await server.next(), 11)).toBe('12345678901');
  });

  test.each([
    ['dropNewest', 'aaaaaabbbbbb'],
    ['dropOldest', 'bbbbbbcccccc'],
  ])('%s drops whole chunks and tells it', async (policy, expected) => {
    const { link, clock, server, values } = await away({ maxWriteBuffer: 10, overflow: policy });
    for (const letter of 'abc') link.next(letter.repeat(6));
    expect(values.at(-1)).toEqual({ type: 'overflow', bytes: 6 });
    clock.pass(100);
    expect(await received(await server.next(), 12)).toBe(expected);
  });

  test('dropOldest drops as many as it takes', async () => {
    const { link, clock, server, values } = await away({ maxWriteBuffer: 10, overflow: 'dropOldest' });
    for (const chunk of ['aaaa', 'bbbb', 'c'.repeat(30), 'dddd']) link.next(chunk);
    expect(values.slice(-3)).toEqual([4, 4, 30].map((bytes) => ({ type: 'overflow', bytes })));
    clock.pass(100);
    expect(await received(await server.next(), 4)).toBe('dddd');
  });

  test('dropOldest tells the writer by a rejection, and nobody else', async () => {
    const { link, values } = await away({ maxWriteBuffer: 10, overflow: 'dropOldest' });
    const oldest = link.write(Buffer.alloc(6));
    link.next(Buffer.alloc(6));
    link.next(Buffer.alloc(6));
    await expect(oldest).rejects.toMatchObject(overflow);
    expect((values as ReconnectEvent[]).map(({ type }) => type)).not.toContain('overflow');
  });

  test('counts what a slow peer does not take, too', async () => {
    const server = await rawServer();
    const test = linkTo(server.port, { maxWriteBuffer: 1_000_000 });
    const { told, ended } = tell(test);
    await expect.poll(told).toContain('connect');
    while (test.link.readyState === 'open') test.link.next(Buffer.alloc(500_000));
    expect((await ended).error).toMatchObject({ code: 'ERR_WRITE_BUFFER_OVERFLOW', limit: 1_000_000 });
  });
});

describe('a cut', () => {
  test('loses what the connection was given, keeps what it was not, and sends nothing twice', async () => {
    const server = await rawServer();
    const test = linkTo(server.port, { maxWriteBuffer: 100_000_000 });
    const { told, values } = tell(test);
    await expect.poll(told).toContain('connect');
    const first = await server.next();
    const outcomes: Promise<string>[] = [];
    const messages = 200;
    for (let index = 0; index < messages; index++) {
      const message = Buffer.alloc(65_536, `${String(index).padStart(3)} `);
      outcomes.push(
        test.link.write(message).then(
          () => 'sent',
          (error: { code: string }) => error.code,
        ),
      );
    }
    // FIN comes after what waits, so that there is another connection for it.
    test.link.complete();
    first.resetAndDestroy();
    await expect.poll(told).toContain('retry');
    test.clock.pass(100);
    const second = await server.next();
    const { bytes } = await drainRaw(second);
    const settled = await Promise.all(outcomes);
    const lost = settled.indexOf('ECONNRESET') >= 0 ? 'ECONNRESET' : 'EPIPE';
    const given = settled.lastIndexOf(lost) + 1;
    expect(given).toBeGreaterThan(0);
    expect(given).toBeLessThan(messages);
    expect(settled.slice(given).every((outcome) => outcome === 'sent')).toBe(true);
    expect(bytes.length).toBe((messages - given) * 65_536);
    expect(bytes.subarray(0, 3).toString()).toBe(String(given).padStart(3));
    const { report } = (values as ReconnectEvent[]).find(({ type }) => type === 'disconnect') as never as {
      report: { bytesUnsent: number };
    };
    expect(report.bytesUnsent).toBeGreaterThan(0);
  });

  test('while next() had answered false is followed by drain', async () => {
    const server = await rawServer();
    const test = linkTo(server.port, { maxWriteBuffer: 100_000_000 });
    const { told } = tell(test);
    await expect.poll(told).toContain('connect');
    while (test.link.next(Buffer.alloc(65_536)));
    (await server.next()).resetAndDestroy();
    await expect.poll(told).toContain('retry');
    test.clock.pass(100);
    await expect.poll(told).toContain('drain');
  });

  test('by FIN: what is written before it is told goes to the next connection', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    record(
      test.link.pipe(
        on('finish'),
        tap(() => test.link.next('late')),
      ),
    );
    const { told } = tell(test);
    const first = await server.next();
    await expect.poll(told).toContain('connect');
    first.end();
    await expect.poll(told).toContain('retry');
    expect(await drainRaw(first)).toEqual({ bytes: Buffer.alloc(0), end: 'end' });
    test.clock.pass(100);
    expect(await received(await server.next(), 4)).toBe('late');
  });
});

describe('the end', () => {
  test('complete() sends FIN, reading goes on, and nothing is dialled after', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told, ended, values } = tell(test);
    test.link.next('request');
    test.link.complete();
    const peer = await server.next();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('request'), end: 'end' });
    peer.end('answer');
    expect(await ended).toEqual({});
    expect(values).toContainEqual({ type: 'data', data: Buffer.from('answer') });
    expect(told()).toEqual(['connect', 'finish', 'data', 'end', 'disconnect', 'complete']);
    test.clock.pass(1e9);
    await turns();
    expect(server.peers).toHaveLength(1);
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    expect(test.link.next('late')).toBe(false);
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ERR_STREAM_WRITE_AFTER_END' }));
    warn.mockRestore();
    await expect(test.link.write('late')).rejects.toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
  });

  test('complete() with nobody subscribed dials for what waits', async () => {
    const server = await rawServer();
    const { link } = linkTo(server.port);
    link.next('bye');
    link.complete();
    const peer = await server.next();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('bye'), end: 'end' });
    peer.end();
    await expect.poll(() => link.readyState).toBe('closed');
  });

  test('complete() while away goes on dialling for what waits', async () => {
    const { link, clock, server, ended } = await away();
    link.next('kept');
    link.complete();
    expect(link.readyState).toBe('waiting');
    clock.pass(100);
    const peer = await server.next();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('kept'), end: 'end' });
    peer.end();
    expect(await ended).toEqual({});
  });

  test('complete() while away with nothing to send is the end', async () => {
    const { link, ended } = await away();
    link.complete();
    expect(await ended).toEqual({});
  });

  test('a cut after complete() is an error, for an answer may be missing', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told, ended } = tell(test);
    await expect.poll(told).toContain('connect');
    test.link.complete();
    (await server.next()).resetAndDestroy();
    expect((await ended).error).toMatchObject({ code: 'ECONNRESET' });
  });

  test('error() resets the connection and rejects what waits', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told, ended } = tell(test);
    await expect.poll(told).toContain('connect');
    const reason = new Error('enough');
    test.link.error(reason);
    expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED', cause: reason });
    expect((await drainRaw(await server.next())).end).toBe('ECONNRESET');
    expect(test.link.next('late')).toBe(false);
    await expect(test.link.write('late')).rejects.toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    const waiting = await away();
    const written = waiting.link.write('x');
    waiting.link.error();
    await expect(written).rejects.toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
  });

  test('close() flushes, sends FIN and resolves when the peer has ended too', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told, ended, subscription } = tell(test);
    await expect.poll(told).toContain('connect');
    const peer = await server.next();
    test.link.hold('whoever');
    peer.write('what nobody reads');
    test.link.next('bye');
    const closed = test.link.close();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('bye'), end: 'end' });
    peer.end();
    await closed;
    expect(await ended).toEqual({});
    subscription.unsubscribe();
    await test.link.close();
  });

  test('close() with a timeout gives up on a peer that does not end, and on one that is not there', async () => {
    const server = await rawServer();
    const open = linkTo(server.port);
    const { told, ended } = tell(open);
    await expect.poll(told).toContain('connect');
    const waiting = await away();
    waiting.link.next('x');
    for (const { link, clock, over } of [
      { ...open, over: ended },
      { ...waiting, over: waiting.ended },
    ]) {
      const closed = link.close({ timeout: 99 });
      clock.pass(98);
      expect(link.readyState).not.toBe('closed');
      clock.pass(1);
      await closed;
      expect(await over).toMatchObject({
        error: { name: 'SocketTimeoutError', timeout: 'close({ timeout })', milliseconds: 99 },
      });
    }
    expect(() => open.link.close({ timeout: -1 })).toThrow(RangeError);
  });

  test('close({ timeout: 0 }) aborts, and close() of a link that was never used is over at once', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told } = tell(test);
    await expect.poll(told).toContain('connect');
    await test.link.close({ timeout: 0 });
    expect((await drainRaw(await server.next())).end).toBe('ECONNRESET');
    {
      await using unused = linkTo(server.port).link;
      expect(unused.readyState).toBe('idle');
    }
    expect(server.peers).toHaveLength(1);
  });

  test('leaving and then close() still flushes', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told, subscription } = tell(test);
    await expect.poll(told).toContain('connect');
    subscription.unsubscribe();
    const written = test.link.write('bye');
    const closed = test.link.close();
    test.clock.pass(0);
    expect(record(test.link).log).toEqual(['connect']);
    const peer = await server.next();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('bye'), end: 'end' });
    await written;
    peer.end();
    await closed;
  });

  test('leaving after complete() is the end', async () => {
    const server = await rawServer();
    const test = linkTo(server.port);
    const { told, subscription } = tell(test);
    await expect.poll(told).toContain('connect');
    test.link.complete();
    subscription.unsubscribe();
    test.clock.pass(0);
    expect(test.link.readyState).toBe('closed');
    expect((await drainRaw(await server.next())).end).toBe('end');
    const { log } = record(test.link);
    test.clock.pass(0);
    expect(log).toEqual(['complete']);
  });

  test('leaving while something waits loses it, and a warning says so', async () => {
    const server = await rawServer();
    const ports = [await closedPort()];
    const test = linkTo(() => ports.shift() ?? server.port);
    const { log, subscription } = tell(test);
    await expect.poll(() => log).toContain('retry');
    const written = test.link.write('told');
    test.link.next('untold');
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    subscription.unsubscribe();
    test.clock.pass(0);
    await expect(written).rejects.toMatchObject({ code: 'ERR_SOCKET_CLOSED' });
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ERR_SOCKET_CLOSED' }));
    warn.mockRestore();
    expect(test.link.writableLength).toBe(0);
  });

  test('a link that fails with bytes that wait and nobody subscribed warns of them', async () => {
    const test = linkTo(await closedPort(), { maxRetries: 0 });
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    test.link.next('untold');
    await expect(test.link.write('told')).rejects.toMatchObject({ code: 'ERR_RECONNECT_EXHAUSTED' });
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ERR_RECONNECT_EXHAUSTED' }));
    const heard = linkTo(await closedPort(), { maxRetries: 0 });
    heard.link.next('untold');
    await tell(heard).ended;
    const aborted = linkTo(await closedPort());
    aborted.link.next('untold');
    aborted.link.error();
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });

  test('leaving an open connection that is clogged flushes all', async () => {
    const server = await rawServer();
    const test = linkTo(server.port, { maxWriteBuffer: 100_000_000 });
    const { told, subscription } = tell(test);
    await expect.poll(told).toContain('connect');
    for (let index = 0; index < 100; index++) test.link.next(Buffer.alloc(65_536));
    subscription.unsubscribe();
    test.clock.pass(0);
    const { bytes, end } = await drainRaw(await server.next());
    expect([bytes.length, end]).toEqual([6_553_600, 'end']);
  });

  test.each([
    ['complete()', (link: ReconnectingSocket) => link.complete(), 'complete'],
    ['error()', (link: ReconnectingSocket) => link.error(), 'error:ERR_SOCKET_ABORTED'],
  ])('who is told of a disconnect may end the link there, by %s', async (_how, end, expected) => {
    const server = await rawServer((peer) => peer.end());
    const { link, clock } = linkTo(server.port);
    const { ended, log } = record(link);
    record(
      link.pipe(
        on('disconnect'),
        tap(() => end(link)),
      ),
    );
    await ended;
    expect(log.slice(-2)).toEqual(['disconnect', expected]);
    clock.pass(1e9);
    await turns();
    expect(server.peers).toHaveLength(1);
    expect(link.readyState).toBe('closed');
  });
});
