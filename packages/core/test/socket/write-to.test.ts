// writeTo(): backpressure, progress, and that a FIN means a whole transfer.
import { data, type WriteProgress, writeTo } from '@rxsock/core';
import { from, lastValueFrom, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { accepted, dial, drainRaw, pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { controlOf } from '../../src/socket.js';
import { listenOn } from '../support/dials.js';
import { watchWarnings } from '../support/warnings.js';

const MEGABYTE = Buffer.alloc(1_000_000);

describe('a whole transfer', () => {
  test('writes everything, sends FIN, emits its progress, and completes when FIN is out', async () => {
    const { socket, peer } = await pair();
    const { values, ended } = record(from([MEGABYTE, 'é', MEGABYTE]).pipe(writeTo(socket)));
    const { bytes, end } = await drainRaw(peer);
    expect([bytes.length, end]).toEqual([2_000_002, 'end']);
    expect(await ended).toEqual({});
    expect(values.at(-1)).toEqual({ bytesSent: 2_000_002 });
    const sizes = values.map(({ bytesSent }: WriteProgress) => bytesSent);
    expect(sizes).toEqual([...new Set(sizes)].sort((a, b) => a - b));
    expect(socket.readyState).toBe('readOnly');
  });

  test('leaves the write side open with end: false, and completes when all bytes have been sent', async () => {
    const { socket, peer } = await pair();
    const { ended } = record(of('abc').pipe(writeTo(socket, { end: false })));
    expect(await ended).toEqual({});
    expect(socket.bytesWritten).toBe(3);
    socket.next('def');
    socket.complete();
    expect((await drainRaw(peer)).bytes.toString()).toBe('abcdef');
  });

  test('does not read: what the peer sends stays for a reader', async () => {
    const { socket, peer } = await pair();
    const { ended } = record(of('abc').pipe(writeTo(socket, { end: false })));
    peer.write('hello');
    await ended;
    const reader = record(socket);
    await expect.poll(() => reader.log).toContain('data');
  });

  test.each(['dialled', 'accepted'])('is not cut short by the FIN of the peer: %s', async (side) => {
    const { socket, peer } = await (side === 'dialled' ? pair() : accepted());
    const source = new Subject<string>();
    const { ended } = record(source.pipe(writeTo(socket)));
    source.next('first half, ');
    peer.end();
    await expect.poll(() => socket.readyState).toBe('writeOnly');
    await turns();
    source.next('second half');
    source.complete();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('first half, second half'), end: 'end' });
    expect(await ended).toEqual({});
  });

  test.each(['fails', 'is unsubscribed'])("that %s after the peer's FIN resets, and sends no FIN", async (how) => {
    const { socket, peer } = await pair();
    const source = new Subject<string>();
    const { subscription, ended } = record(source.pipe(writeTo(socket)));
    const received = drainRaw(peer);
    source.next('a part, ');
    peer.end();
    await expect.poll(() => socket.readyState).toBe('writeOnly');
    // Read before the reset: a Node peer may report data and a reset together as a clean end.
    await expect.poll(() => peer.bytesRead).toBe(8);
    if (how === 'fails') source.error(new Error('the disk failed'));
    else subscription.unsubscribe();
    expect((await received).end).toBe('ECONNRESET');
    if (how === 'fails') expect(await ended).toEqual({ error: new Error('the disk failed') });
  });

  test("with end: false ends our side afterwards if the peer's FIN arrived meanwhile", async () => {
    const { socket, peer } = await pair();
    const source = new Subject<string>();
    const { ended } = record(source.pipe(writeTo(socket, { end: false })));
    peer.end();
    await expect.poll(() => socket.readyState).toBe('writeOnly');
    source.next('abc');
    source.complete();
    expect(await ended).toEqual({});
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('abc'), end: 'end' });
  });
});

describe('backpressure', () => {
  test('holds a socket that feeds it while its own peer does not read', async () => {
    const [origin, to] = [await pair(), await pair()];
    const { ended } = record(origin.socket.pipe(data(), writeTo(to.socket)));
    for (let i = 0; i < 30; i++) origin.peer.write(MEGABYTE);
    origin.peer.end();
    await expect.poll(() => origin.socket.holds).toEqual(['writeTo']);
    expect(origin.socket.bytesRead).toBeLessThan(30_000_000);
    expect(to.socket.writableLength).toBeLessThan(1_000_000);
    expect((await drainRaw(to.peer)).bytes).toHaveLength(30_000_000);
    expect(await ended).toEqual({});
  });
});

describe('a transfer that is cut resets the connection', () => {
  test.each<[string, Observable<string>, object]>([
    ['when its source fails', throwError(() => new Error('a bug')), { message: 'a bug' }],
    [
      'its source brings what cannot be written',
      new Observable<string>((subscriber) => subscriber.next(7 as never)),
      { name: 'TypeError' },
    ],
  ])('%s', async (_name, rest, error) => {
    const { socket, peer } = await pair();
    const { ended } = record(rest.pipe(writeTo(socket)));
    expect((await ended).error).toMatchObject(error);
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    await expect.poll(() => socket.readyState).toBe('closed');
  });

  test('when its source fails while the socket is dialling: the peer never sees an end', async () => {
    const { port, ends } = await listenOn(0, '127.0.0.6');
    const failing = new Observable<string>((subscriber) => {
      subscriber.next('header');
      setImmediate(() => subscriber.error('a bug'));
    });
    for (let i = 0; i < 30; i++) {
      const { ended } = record(failing.pipe(writeTo(dial({ port, host: '127.0.0.6' }))));
      expect(await ended).toEqual({ error: 'a bug' });
    }
    expect(await ends()).toMatchObject({ empty: 0, whole: 0 });
  });

  test('when it is unsubscribed', async () => {
    const { socket } = await pair();
    record(NEVER.pipe(writeTo(socket))).subscription.unsubscribe();
    expect(await socket.close()).toMatchObject({ by: 'local', how: 'abort' });
  });

  test('a failure of the socket unsubscribes the source and is reported', async () => {
    const { socket, peer } = await pair();
    const source = new Subject<string>();
    const { ended } = record(source.pipe(writeTo(socket)));
    record(socket);
    peer.resetAndDestroy();
    expect((await ended).error).toMatchObject({ code: 'ECONNRESET' });
    expect(source.observed).toBe(false);
  });

  test.each(['finished', 'completing'])('bytes that come after complete() fail the transfer: %s', async (state) => {
    const { socket, peer } = await pair();
    if (state === 'completing') while (socket.next(MEGABYTE));
    socket.complete();
    if (state === 'finished') await expect.poll(() => socket.readyState).toBe('readOnly');
    const { values, ended } = record(of('too late').pipe(writeTo(socket)));
    expect((await ended).error).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    expect(values).toEqual([]);
    // A transfer that is already whole stays so. One that was still on its way does not.
    if (state === 'finished') expect((await drainRaw(peer)).end).toBe('end');
    else expect(await socket.close()).toMatchObject({ by: 'local', how: 'abort' });
  });

  test('a complete() in its middle fails the transfer and unsubscribes its source', async () => {
    const { socket } = await pair({ allowHalfOpen: true });
    const source = new Subject<string>();
    const { ended } = record(source.pipe(writeTo(socket)));
    source.next('first half, ');
    socket.complete();
    source.next('second half');
    expect((await ended).error).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    expect(source.observed).toBe(false);
  });

  test('a socket that is already closed fails the transfer at once', async () => {
    const { socket } = await pair();
    socket.error(new Error('enough'));
    await socket.close();
    const { ended } = record(new Subject<string>().pipe(writeTo(socket)));
    expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
  });
});

describe('a transfer that has finished', () => {
  test('does not write to the socket any more, nor watch it', async () => {
    const { socket, peer } = await pair();
    peer.resume();
    const control = controlOf(socket);
    const calls = (['beginWrite', 'endWrite', 'unwatch'] as const).map((method) => vi.spyOn(control, method));
    await lastValueFrom(of('hello').pipe(writeTo(socket, { end: false })));
    for (const call of calls) expect(call).toHaveBeenCalledOnce();
  });

  test('does not hide that later bytes were lost: a warning says so once', async () => {
    const { socket, peer } = await pair();
    await lastValueFrom(of('hello').pipe(writeTo(socket, { end: false })));
    const warned = watchWarnings();
    socket.next(Buffer.alloc(20_000_000));
    peer.resetAndDestroy();
    await expect.poll(() => socket.readyState).toBe('closed');
    expect(warned).toHaveBeenCalledOnce();
  });
});

test('progress is emitted when bytes are sent, also when nothing follows them', async () => {
  const { socket } = await pair();
  const source = new Subject<string>();
  const transfer = record(source.pipe(writeTo(socket)));
  source.next('abc');
  source.next('de');
  await expect.poll(() => transfer.values).toEqual([{ bytesSent: 5 }]);
});
