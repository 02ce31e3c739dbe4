// framed(): frames in both directions over one socket.
import { data, FrameError, framed, jsonLinesCodec, lines, linesCodec, mapWithBackpressure } from '@rxsock/core';
import { socketPair, VirtualClock } from '@rxsock/core/testing';
import { firstValueFrom, Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { drainRaw, pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

test('sends values as frames, half-closes, and receives up to the FIN of the peer', async () => {
  const { socket, peer } = await pair({ allowHalfOpen: true });
  const rpc = framed(socket, jsonLinesCodec<{ id: number }>());
  const { values, log, ended } = record(rpc);
  expect(rpc.next({ id: 1 })).toBe(true);
  rpc.complete();
  expect((await drainRaw(peer)).bytes.toString()).toBe('{"id":1}\n');
  peer.end('{"id":2}\n{"id":3}\n');
  expect(await ended).toEqual({});
  expect(values).toEqual([{ id: 2 }, { id: 3 }]);
  expect(log.at(-1)).toBe('complete');
});

test('delivers the same frames from one decoder to all subscribers', async () => {
  const { socket, peer } = await pair();
  const lines = framed(socket, linesCodec());
  const [first, second] = [record(lines), record(lines)];
  peer.end('a\nb\n');
  await Promise.all([first.ended, second.ended]);
  expect(first.values).toEqual(['a', 'b']);
  expect(second.values).toEqual(['a', 'b']);
});

test('rejects a value that cannot be a frame at the call, and does not harm the socket', async () => {
  const { socket, peer } = await pair();
  const lines = framed(socket, linesCodec());
  expect(() => lines.next('two\nlines')).toThrow(FrameError);
  lines.next('one');
  lines.complete();
  expect(await drainRaw(peer)).toMatchObject({ bytes: Buffer.from('one\n'), end: 'end' });
});

test('write() resolves when the kernel has the frame, and throws at the call for a value that has none', async () => {
  const { socket, peer } = await pair();
  const lines = framed(socket, linesCodec());
  const written = lines.write('one');
  expect(() => lines.write('two\nlines')).toThrow(FrameError);
  await written;
  expect(socket.bytesWritten).toBe(4);
  lines.complete();
  await expect(lines.write('late')).rejects.toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
  expect((await drainRaw(peer)).bytes.toString()).toBe('one\n');
});

test('aborts: the peer sees a reset, and subscribers get the reason', async () => {
  const { socket, peer } = await pair();
  const lines = framed(socket, linesCodec());
  const { ended } = record(lines);
  const reason = new Error('enough');
  lines.error(reason);
  expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED', cause: reason });
  expect((await drainRaw(peer)).end).toBe('ECONNRESET');
});

test('a slow consumer holds the socket', async () => {
  const { socket, peer } = await pair();
  const gate = new Subject<void>();
  record(framed(socket, linesCodec()).pipe(mapWithBackpressure(() => gate, { highWaterMark: 2 })));
  peer.write('1\n2\n3\n4\n5\n');
  await expect.poll(() => socket.holds).toEqual(['framed ← mapWithBackpressure']);
  for (let i = 0; i < 20; i++) peer.write(Buffer.alloc(1_000_000, 'x\n'));
  await turns();
  expect(socket.bytesRead).toBeLessThan(4 * 65_536);
});

test('a subscriber that leaves at the first frame, while the frames begin, loses none of the others', async () => {
  const { socket, peer } = await pair();
  peer.write('hello\none\ntwo\nthree\n');
  expect(await firstValueFrom(socket.pipe(data(), lines()))).toBe('hello');
  const frames = framed(socket, linesCodec());
  expect(await firstValueFrom(frames)).toBe('one');
  expect(socket.holds).not.toEqual([]);
  const { log } = record(frames);
  await expect.poll(() => log).toEqual(['two', 'three']);
});

test('frameTimeout runs on the clock of the socket, or on the scheduler that is given', () => {
  const [clock, scheduler] = [new VirtualClock(), new VirtualClock()];
  const halves = [{ frameTimeout: 5000 }, { frameTimeout: 5000, scheduler }].map((options) => {
    const [socket, peer] = socketPair({ scheduler: clock });
    peer.next('half');
    return record(framed(socket, linesCodec(), options));
  });
  const logs = () => halves.map(({ log }) => log);
  clock.tick(4999);
  expect(logs()).toEqual([[], []]);
  clock.tick(1);
  expect(logs()).toEqual([['error:ETIMEDOUT'], []]);
  scheduler.tick(5000);
  expect(logs()).toEqual([['error:ETIMEDOUT'], ['error:ETIMEDOUT']]);
});
