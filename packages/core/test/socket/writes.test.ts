// The write side: order, counting, promises, and what it rejects.
import { type SocketError, WriteBufferOverflowError } from '@rxsock/core';
import { describe, expect, test, vi } from 'vitest';
import { dial, drainRaw, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { watchWarnings } from '../support/warnings.js';

const MEGABYTE = Buffer.alloc(1_000_000);

describe('next()', () => {
  test('returns false at the mark, counts bytes, and drain follows once everything was sent', async () => {
    const server = await rawServer((peer) => peer.resume());
    const socket = dial({ port: server.port, highWaterMark: 10 });
    expect(socket.next('ééé')).toBe(true);
    expect(socket.writableLength).toBe(6);
    expect(socket.next('abc')).toBe(true);
    expect(socket.next('d')).toBe(false);
    const { log } = record(socket);
    await expect.poll(() => log).toContain('drain');
    expect(log.filter((name) => name === 'drain')).toHaveLength(1);
    expect(socket.writableLength).toBe(0);
    expect(socket.bytesWritten).toBe(10);
  });

  test('emits no drain if it never returned false', async () => {
    const { socket, peer } = await pair();
    const { log, ended } = record(socket);
    expect(socket.next('abc')).toBe(true);
    peer.end();
    peer.resume();
    await ended;
    expect(log).not.toContain('drain');
  });

  test('waits for the peer: drain comes only when it reads', async () => {
    const { socket, peer } = await pair();
    const { log } = record(socket);
    let room = true;
    while (room || socket.writableLength < 4e6) room = socket.next(MEGABYTE);
    await turns();
    expect(log).not.toContain('drain');
    peer.resume();
    await expect.poll(() => log).toContain('drain');
    expect(socket.writableLength).toBe(0);
  });

  test.each([null, undefined, 7, {}, [1], new ArrayBuffer(1), new Uint16Array(1)])(
    'throws a TypeError for %o and does not harm the socket',
    async (chunk) => {
      const { socket, peer } = await pair();
      const bad = chunk as never;
      expect(() => socket.next(bad)).toThrow(TypeError);
      expect(() => socket.write(bad)).toThrow(TypeError);
      socket.next('ok');
      socket.complete();
      expect((await drainRaw(peer)).bytes.toString()).toBe('ok');
    },
  );

  test('accepts empty chunks', async () => {
    const { socket, peer } = await pair();
    expect(socket.next('')).toBe(true);
    await socket.write(new Uint8Array());
    socket.next('a');
    expect(socket.next(Buffer.alloc(0))).toBe(true);
    socket.complete();
    expect((await drainRaw(peer)).bytes.toString()).toBe('a');
    expect(socket.bytesWritten).toBe(1);
  });

  test('after complete() returns false, emits one warning however often, and sends nothing', async () => {
    const warn = watchWarnings();
    const { socket, peer } = await pair();
    socket.next('a');
    socket.complete();
    for (let count = 0; count < 1000; count++) expect(socket.next('b')).toBe(false);
    expect(warn).toHaveBeenCalledTimes(1);
    const other = await pair();
    other.socket.complete();
    other.socket.next('b');
    expect(warn).toHaveBeenCalledTimes(2);
    await expect(socket.write('c')).rejects.toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END', phase: 'write' });
    expect((await drainRaw(peer)).bytes.toString()).toBe('a');
  });

  test('after the close returns false and does not throw', async () => {
    const { socket, peer } = await pair();
    peer.resetAndDestroy();
    await record(socket).ended;
    expect(socket.next('a')).toBe(false);
    expect(() => socket.complete()).not.toThrow();
    expect(() => socket.error()).not.toThrow();
  });
});

describe('maxWriteBuffer', () => {
  test('fails the socket when more than that waits before the current chunk', async () => {
    const server = await rawServer();
    const socket = dial({ port: server.port, maxWriteBuffer: 5 });
    expect(socket.next('12345')).toBe(true);
    expect(socket.next('6')).toBe(true);
    const { log, ended } = record(socket);
    expect(socket.next('7')).toBe(false);
    const { error } = await ended;
    expect(error).toBeInstanceOf(WriteBufferOverflowError);
    expect(error).toMatchObject({ code: 'ERR_WRITE_BUFFER_OVERFLOW', limit: 5 });
    expect(log.at(-2)).toBe('close');
  });

  test('makes a write() beyond it reject', async () => {
    const { socket } = await pair({ maxWriteBuffer: 1_000_000 });
    const { ended } = record(socket);
    for (let i = 0; i < 20; i++) socket.next(MEGABYTE);
    await expect(socket.write('x')).rejects.toBeInstanceOf(WriteBufferOverflowError);
    expect((await ended).error).toBeInstanceOf(WriteBufferOverflowError);
    const report = await socket.close();
    expect(report).toMatchObject({ by: 'local', how: 'error' });
    expect(report.bytesUnsent).toBeGreaterThan(1_000_000);
  });
});

describe('write()', () => {
  test('counts a pending promise towards maxWriteBuffer, from the 1,025th on', async () => {
    const { socket } = await pair({ maxWriteBuffer: 1_000_000 });
    const { ended } = record(socket);
    socket.next(Buffer.alloc(900_000));
    let calls = 0;
    while (socket.readyState === 'open' && calls < 5_000) {
      calls++;
      void socket.write('x');
    }
    expect(calls).toBeGreaterThan(1_024);
    expect(calls).toBeLessThan(1_024 + 1_000_000 / 400);
    expect((await ended).error).toBeInstanceOf(WriteBufferOverflowError);
  });

  test('with nothing to write costs nothing, however often it is called while bytes wait', async () => {
    const { socket, peer } = await pair({ maxWriteBuffer: 20_000_000 });
    record(socket);
    for (let i = 0; i < 20; i++) socket.next(MEGABYTE);
    const promises = Array.from({ length: 100_000 }, () => socket.write(''));
    expect(socket.readyState).toBe('open');
    peer.resume();
    await Promise.all(promises);
  });

  test('resolves in order, when the kernel has the bytes', async () => {
    const { socket, peer } = await pair();
    const order: number[] = [];
    const writes = [MEGABYTE, MEGABYTE, 'c'].map((chunk, i) => socket.write(chunk).then(() => order.push(i)));
    peer.resume();
    await Promise.all(writes);
    expect(order).toEqual([0, 1, 2]);
    expect(socket.bytesWritten).toBe(2_000_001);
  });

  test('rejects for bytes that were never sent, and leaves no unhandled rejection', async () => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const { socket } = await pair();
    const sent = socket.write('a');
    for (let i = 0; i < 10; i++) void socket.write(MEGABYTE);
    const unsent = socket.write('z');
    socket.error(new Error('enough'));
    await sent;
    const error = (await unsent.catch((reason) => reason)) as SocketError;
    expect(error).toMatchObject({ name: 'AbortedError', code: 'ERR_SOCKET_ABORTED' });
    await expect(socket.write('later')).rejects.toBe(error);
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).not.toHaveBeenCalled();
    process.off('unhandledRejection', unhandled);
  });
});

describe('complete()', () => {
  test('sends FIN behind everything that waits', async () => {
    const { socket, peer } = await pair();
    const { log } = record(socket);
    for (let i = 0; i < 8; i++) socket.next(MEGABYTE);
    socket.complete();
    socket.complete();
    await turns();
    expect(log).not.toContain('finish');
    const { bytes, end } = await drainRaw(peer);
    expect([bytes.length, end]).toEqual([8_000_000, 'end']);
    await expect.poll(() => log).toContain('finish');
    expect(socket.readyState).toBe('readOnly');
  });
});

test('bytes written in a handler of end still go out before our FIN', async () => {
  const { socket, peer } = await pair();
  socket.subscribe((event) => event.type === 'end' && socket.next('bye'));
  peer.end();
  expect((await drainRaw(peer)).bytes.toString()).toBe('bye');
});
