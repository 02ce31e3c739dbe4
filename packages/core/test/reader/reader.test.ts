// reader(): a dialogue with await. Checks what is left at the end, and that nothing is lost on the way.
import { Duplex } from 'node:stream';
import {
  type Decoder,
  data,
  fixedLengthCodec,
  fromDuplex,
  jsonLinesCodec,
  lengthPrefixedCodec,
  linesCodec,
  type Reader,
  type ReaderOptions,
  reader,
  SocketTimeoutError,
  TruncatedFrameError,
} from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';
import { turns } from '../../../../tests/support/turns.js';
import { ReadBuffer } from '../../src/reader/read-buffer.js';

/** A reader at a socket whose peer has sent this, and a FIN if `end` is set. */
async function reading(text: string, { end = true, ...options }: ReaderOptions & { readonly end?: boolean } = {}) {
  const { socket, peer } = await pair({ allowHalfOpen: true });
  if (end) peer.end(text);
  else peer.write(text);
  return { socket, peer, read: reader(socket, options) };
}

/** A reader at a socket that gets this as one chunk, and then the end. */
function readingOnce(text: string) {
  const chunk = Buffer.from(text);
  const chunks = [chunk, null];
  const socket = fromDuplex(
    new Duplex({
      read() {
        this.push(chunks.shift() ?? null);
      },
    }),
  );
  onTestFinished(() => socket.error());
  return { chunk, read: reader(socket) };
}

/** Frames of one length. Logs what their decoders were pushed. */
function counted(length: number) {
  const counts = { pieces: 0, pushed: 0, decoder: () => decoder(fixedLengthCodec(length).decoder()) };
  const decoder = (inner: Decoder<Buffer>): Decoder<Buffer> => ({
    push: (chunk) => {
      counts.pieces++;
      counts.pushed += chunk.length;
      inner.push(chunk);
    },
    next: () => inner.next(),
    end: () => inner.end(),
    rest: () => inner.rest(),
  });
  return counts;
}

test('reads bytes, lines, text up to a delimiter, frames of a codec and the rest, each from where the last read ended', async () => {
  const { read } = await reading('HELO me\r\nabc--\0\u0003xyz and all the rest');
  expect(await read.readLine()).toBe('HELO me');
  expect((await read.read(2)).toString()).toBe('ab');
  expect((await read.readUntil('--')).toString()).toBe('c');
  expect((await read.readFrame(lengthPrefixedCodec({ lengthField: 2 })))?.toString()).toBe('xyz');
  expect((await read.readAll()).toString()).toBe(' and all the rest');
});

test('answers concurrent reads in order', async () => {
  const { read } = await reading('1\n2\n3');
  const lines = [read.readLine(), read.readLine(), read.readLine(), read.readLine()];
  expect(await Promise.all(lines)).toEqual(['1', '2', '3', undefined]);
});

test('a read that waits for more comes before a later read of the bytes that are there', async () => {
  const { peer, read } = await reading('abc', { end: false });
  expect((await read.read(1)).toString()).toBe('a');
  const waits = read.read(4);
  const later = read.read(1);
  peer.end('def');
  expect([String(await waits), String(await later)]).toEqual(['bcde', 'f']);
});

test('an abort of this side overtakes bytes that were received', async () => {
  const { socket, read } = await reading('abc', { end: false });
  await read.read(1);
  socket.error(new Error('time to go'));
  await expect(read.read(1)).rejects.toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
});

test('reads nothing and zero bytes', async () => {
  const { read } = await reading('x');
  expect(await read.read(0)).toHaveLength(0);
  expect((await read.readAll()).toString()).toBe('x');
  expect(await read.readAll()).toHaveLength(0);
});

describe('at the end of the input', () => {
  test('a read without a length returns what is left, and then undefined', async () => {
    const { read } = await reading('last');
    expect(await read.readLine()).toBe('last');
    expect(await read.readLine()).toBeUndefined();
  });

  test('a read of more than there is fails, and the bytes stay', async () => {
    const { read } = await reading('abc');
    await expect(read.read(4)).rejects.toMatchObject({ code: 'ERR_FRAME_TRUNCATED', buffered: 3 });
    await expect(read.readUntil('\n')).rejects.toMatchObject({ code: 'ERR_FRAME_TRUNCATED', buffered: 3 });
    expect((await read.read(3)).toString()).toBe('abc');
    await expect(read.read(1)).rejects.toMatchObject({ code: 'ERR_FRAME_TRUNCATED', buffered: 0 });
  });

  test('every kind of read can be tried again', async () => {
    const { read } = await reading('x');
    expect((await read.readAll()).toString()).toBe('x');
    for (let i = 0; i < 2; i++) {
      expect(await read.readLine()).toBeUndefined();
      expect(await read.readLines(2)).toEqual([]);
      expect(await read.readFrame(lengthPrefixedCodec({ lengthField: 2 }))).toBeUndefined();
      expect(await read.readAll()).toHaveLength(0);
      await expect(read.read(1)).rejects.toThrow(TruncatedFrameError);
      await expect(read.readUntil('\n')).rejects.toThrow(TruncatedFrameError);
      for await (const chunk of read) expect.unreachable(chunk.toString());
    }
  });

  test('delivers what arrived before a reset, and then its error: a reset is not an end', async () => {
    const { peer, read } = await reading('a line\nhalf', { end: false });
    expect(await read.readLine()).toBe('a line');
    const half = read.readLine();
    peer.resetAndDestroy();
    await expect(half).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await read.read(4)).toString()).toBe('half');
  });
});

test('a line over the limit is an error, and nothing is lost', async () => {
  const { read } = await reading('abcdef\n', { maxLength: 3 });
  await expect(read.readLine()).rejects.toMatchObject({ code: 'ERR_FRAME_TOO_LONG', limit: 3 });
  await expect(read.readAll()).rejects.toMatchObject({ code: 'ERR_FRAME_TOO_LONG', limit: 3 });
  expect((await read.read(7)).toString()).toBe('abcdef\n');
});

describe('the message for an input over the limit gives advice that works', () => {
  const message = (failed: Promise<unknown>) => failed.catch((error: Error) => error.message);

  test('for a line', async () => {
    const maxLength = 3;
    const { read } = await reading('abcdef\nxyz\n', { maxLength });
    const codec = linesCodec({ maxLength, oversize: 'discard' });
    const advice =
      'A line is longer than 3 bytes: raise the maxLength of reader(), ' +
      "or skip such lines with readFrame(linesCodec({ maxLength, oversize: 'discard' }))";
    expect(await message(read.readLine())).toBe(advice);
    expect(await message(read.readLines(2))).toBe(advice);
    expect(await read.readFrame(codec)).toBe('xyz');
    expect(await read.readLine()).toBeUndefined();
  });

  test('for readUntil(), which reads no frame', async () => {
    const { read } = await reading('abcdef--gh', { maxLength: 3 });
    expect(await message(read.readUntil('--'))).toBe(
      'A block up to the delimiter is longer than 3 bytes: ' +
        'raise the maxLength of reader(), or take the bytes in pieces with read(length)',
    );
    expect(String(await read.read(4))).toBe('abcd');
    expect(String(await read.readUntil('--'))).toBe('ef');
    expect(await message(read.readUntil('--'))).toMatch(/^The input ended inside a block up to the delimiter, 2 bytes/);
  });

  test('for readRest()', async () => {
    const { read } = await reading('abcdef', { maxLength: 3 });
    expect(await message(read.readAll())).toBe(
      'More than maxLength (3) bytes came before the end of the input: raise it, or read in pieces',
    );
    const pieces: string[] = [];
    for await (const piece of read) pieces.push(String(piece));
    expect(pieces.join('')).toBe('abcdef');
  });
});

test('starts a codec again after it has failed', async () => {
  const { read } = await reading('abcdef\n');
  let maxLength = 3;
  const codec = { decoder: () => linesCodec({ maxLength }).decoder() };
  await expect(read.readFrame(codec)).rejects.toMatchObject({ code: 'ERR_FRAME_TOO_LONG', limit: 3 });
  maxLength = 6;
  expect(await read.readFrame(codec)).toBe('abcdef');
});

test('returns bytes that share no memory with received chunks', async () => {
  const { chunk, read } = readingOnce('abcdef--ghij\nklm');
  const taken = [await read.read(3), await read.readUntil('--'), await read.readFrame(fixedLengthCodec(2))];
  const line = await read.readLine();
  for await (const rest of read) taken.push(rest);
  chunk.fill(0);
  expect(taken.map(String)).toEqual(['abc', 'def', 'gh', 'klm']);
  expect(line).toBe('ij');
});

describe('bytes that arrived in one piece', () => {
  test('are returned in one piece by iteration, even after a part of them was read', async () => {
    const { read } = readingOnce('x'.repeat(5000));
    const first = await read[Symbol.asyncIterator]().next();
    expect(first.value).toHaveLength(5000);
    const { read: second } = readingOnce('x'.repeat(5000));
    await second.read(10);
    await second.readFrame(fixedLengthCodec(10));
    expect((await second[Symbol.asyncIterator]().next()).value).toHaveLength(4980);
  });

  test('are not copied repeatedly by alternating codecs', async () => {
    const { read } = readingOnce('x'.repeat(65_536));
    const [a, b] = [counted(4), counted(4)];
    for (let i = 0; i < 8192; i++) {
      await read.readFrame(a);
      await read.readFrame(b);
    }
    expect(await read.readAll()).toHaveLength(0);
    expect(a.pushed + b.pushed).toBeLessThanOrEqual(16_384 * 512);
  });

  test('reach a long frame in few pieces', async () => {
    const { read } = readingOnce('x'.repeat(1_000_000));
    const codec = counted(1_000_000);
    expect(await read.readFrame(codec)).toHaveLength(1_000_000);
    expect(codec.pieces).toBeLessThanOrEqual(12);
  });
});

describe('a read that is tried again after its timeout', () => {
  test.each<[string, (read: Reader, timeout: number) => Promise<unknown>]>([
    ['readUntil', (read, timeout) => read.readUntil('--', { timeout })],
    ['readLines', (read, timeout) => read.readLines(2, { timeout })],
    ['readAll', (read, timeout) => read.readAll({ timeout })],
  ])('%s() does not copy what has arrived', async (_name, startRead) => {
    const { socket, peer } = await pair();
    const read = reader(socket);
    peer.write('x'.repeat(1_000_000));
    const unread = vi.spyOn(ReadBuffer.prototype, 'unread');
    onTestFinished(() => unread.mockRestore());
    for (let i = 0; i < 10 || socket.bytesRead < 1_000_000; i++)
      await expect(startRead(read, 1)).rejects.toThrow(SocketTimeoutError);
    expect(unread.mock.calls).toEqual([]);
    peer.end('--\n\n');
    await expect(startRead(read, 0)).resolves.toBeDefined();
  });

  test('looks for the delimiter that it was called with, also if the caller changes its bytes', async () => {
    const { read } = await reading('1-2+3-4');
    const delimiter = Buffer.from('-');
    expect((await read.readUntil(delimiter)).toString()).toBe('1');
    delimiter.write('+');
    expect((await read.readUntil(delimiter)).toString()).toBe('2');
    expect((await read.readUntil('-')).toString()).toBe('3');
    expect((await read.readAll()).toString()).toBe('4');
  });
});

describe('several lines', () => {
  test('are read together from any chunks, and what follows them stays', async () => {
    const { peer, read } = await reading('one\r\ntw', { end: false });
    const lines = read.readLines(3);
    await turns();
    peer.write('o\n\nrest');
    expect(await lines).toEqual(['one', 'two', '']);
    expect((await read.read(4)).toString()).toBe('rest');
  });

  test('are read one after the other, between other reads', async () => {
    const { read } = await reading('1\n2\n3\n4\nxy5\n6\n');
    expect(await Promise.all([read.readLines(2), read.readLine(), read.readLines(1), read.read(2)])).toEqual([
      ['1', '2'],
      '3',
      ['4'],
      Buffer.from('xy'),
    ]);
    expect(await read.readLines(0)).toEqual([]);
    expect(await read.readLines(1000)).toEqual(['5', '6']);
  });

  test('are fewer at the end, include an unterminated one, and are none after that', async () => {
    const { read } = await reading('1\n2');
    expect(await read.readLines(3)).toEqual(['1', '2']);
    expect(await read.readLines(3)).toEqual([]);
  });

  test('are not taken if one of them is too long', async () => {
    const { read } = await reading('ok\nabcdef\n', { maxLength: 3 });
    await expect(read.readLines(2)).rejects.toMatchObject({ code: 'ERR_FRAME_TOO_LONG', limit: 3 });
    expect(await read.readLines(1)).toEqual(['ok']);
    await expect(read.readLines(1)).rejects.toMatchObject({ code: 'ERR_FRAME_TOO_LONG' });
    expect((await read.read(7)).toString()).toBe('abcdef\n');
  });

  test('are not taken if a reset comes before the last', async () => {
    const { socket, peer, read } = await reading('1\n2\n', { end: false });
    const lines = read.readLines(3);
    await expect.poll(() => socket.bytesRead).toBe(4);
    peer.resetAndDestroy();
    await expect(lines).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await read.readLines(2)).toEqual(['1', '2']);
  });

  test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2'])(
    '%o is not a valid number of lines',
    async (count) => {
      const { read } = await reading('');
      expect(() => read.readLines(count as number)).toThrow(typeof count === 'number' ? RangeError : TypeError);
    },
  );
});

describe('a read that times out is an error, and nothing is lost', () => {
  const codec = lengthPrefixedCodec({ lengthField: 1 });

  test.each<[string, (read: Reader, options?: { timeout: number }) => Promise<unknown>]>([
    ['read', (read, options) => read.read(100, options)],
    ['readUntil', (read, options) => read.readUntil('--', options)],
    ['readLine', (read, options) => read.readLine(options)],
    ['readLines', (read, options) => read.readLines(2, options)],
    ['readFrame', (read, options) => read.readFrame(codec, options)],
    ['readAll', (read, options) => read.readAll(options)],
  ])('%s()', async (_name, startRead) => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ scheduler });
    const read = reader(socket, { timeout: 1000 });
    const late = startRead(read);
    peer.write('half ');
    await expect.poll(() => socket.bytesRead).toBe(5);
    scheduler.tick(1000);
    await expect(late).rejects.toBeInstanceOf(SocketTimeoutError);
    await expect(late).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      phase: 'read',
      timeout: 'timeout',
      milliseconds: 1000,
    });
    expect(socket.holds).toEqual(['reader']);
    const later = startRead(read, { timeout: 5000 });
    await turns();
    scheduler.tick(4999);
    await turns();
    scheduler.tick(1);
    await expect(later).rejects.toMatchObject({ milliseconds: 5000 });
    peer.write('a line\n');
    expect(await read.readLine({ timeout: 0 })).toBe('half a line');
    expect(scheduler.actions).toEqual([]);
  });

  test('a read that finishes in time leaves no timer', async () => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ scheduler });
    peer.write('a\nb\n');
    const read = reader(socket, { timeout: 1000 });
    expect([await read.readLine(), await read.readLine()]).toEqual(['a', 'b']);
    expect(scheduler.actions).toEqual([]);
  });

  test('iteration times out too', async () => {
    const scheduler = new VirtualClock();
    const { socket, peer } = await pair({ scheduler });
    const read = reader(socket, { timeout: 1000 });
    const next = read[Symbol.asyncIterator]().next();
    await turns();
    scheduler.tick(1000);
    await expect(next).rejects.toMatchObject({ code: 'ETIMEDOUT', milliseconds: 1000 });
    peer.write('later\n');
    expect(await read.readLine()).toBe('later');
  });

  test.each([-1, Number.NaN, '5'])('rejects a timeout of %o', async (timeout) => {
    const { socket, read } = await reading('x\n', { end: false });
    const error = typeof timeout === 'number' ? RangeError : TypeError;
    expect(() => read.readLine({ timeout: timeout as number })).toThrow(error);
    expect(() => read.read(1, { timeout: timeout as number })).toThrow(error);
    expect(() => read.readLines(1, { timeout: timeout as number })).toThrow(error);
    expect(() => read.readAll({ timeout: timeout as number })).toThrow(error);
    expect(await read.readLine()).toBe('x');
    read.release();
    expect(() => reader(socket, { timeout: timeout as number })).toThrow(error);
    reader(socket).release();
  });
});

test('the peer has to wait while nobody reads', async () => {
  const { socket, peer } = await pair({ highWaterMark: 1000 });
  const read = reader(socket);
  for (let i = 0; i < 20; i++) peer.write(Buffer.alloc(1_000_000));
  await read.read(10);
  await turns();
  expect(socket.bytesRead).toBeLessThan(4 * 65_536);
  expect(socket.holds).toEqual(['reader']);
  expect(peer.writableLength).toBeGreaterThan(0);
});

test('iterates from the current position, and reads continue after it', async () => {
  const { peer, read } = await reading('head\nbody', { end: false });
  expect(await read.readLine()).toBe('head');
  for await (const chunk of read) {
    expect(chunk.toString()).toBe('body');
    break;
  }
  peer.end('tail');
  let rest = '';
  for await (const chunk of read) rest += chunk;
  expect(rest).toBe('tail');
});

test('release() gives back unread bytes and ends the hold', async () => {
  const { socket, read } = await reading('one\ntwo\nthree', { end: false });
  expect(await read.readLine()).toBe('one');
  const waiting = read.read(1000);
  await turns();
  read.release();
  await expect(waiting).rejects.toMatchObject({ name: 'SocketError', code: 'ERR_READER_RELEASED', phase: 'read' });
  expect(socket.holds).toEqual([]);
  expect((await firstValueFrom(socket.pipe(data()))).toString()).toBe('two\nthree');
  await expect(read.readLine()).rejects.toThrow('released');
});

test('rejects a second reader until the first is released', async () => {
  const { socket, read } = await reading('one\ntwo\n', { end: false });
  expect(() => reader(socket)).toThrow(expect.objectContaining({ code: 'ERR_READER_EXISTS', phase: 'read' }));
  expect(await read.readLine()).toBe('one');
  read.release();
  using next = reader(socket);
  expect(await next.readLine()).toBe('two');
});

test('releases at the end of its block', async () => {
  const { socket } = await pair();
  {
    using read = reader(socket);
    expect(read).toBeDefined();
    expect(socket.holds).toEqual(['reader']);
  }
  expect(socket.holds).toEqual([]);
});

test('a frame may be null', async () => {
  const { socket, peer } = await pair();
  const values = reader(socket);
  const json = jsonLinesCodec();
  peer.end('1\nnull\n2\nnull');
  for (const value of [1, null, 2, null, undefined]) expect(await values.readFrame(json)).toBe(value);
});

test('releasing again takes nothing from the next reader', async () => {
  const { socket } = await pair();
  const first = reader(socket);
  first.release();
  const second = reader(socket);
  first.release();
  expect(() => reader(socket)).toThrow('The socket already has a reader');
  second.release();
  reader(socket).release();
});

describe('the messages of a reader', () => {
  test.each<[string, (read: Reader, options: ReaderOptions) => unknown]>([
    ['length must be', (read) => read.read(-1)],
    ['count must be', (read) => read.readLines(-1)],
    ['The delimiter must be a string or a Uint8Array, not 7', (read) => read.readUntil(7 as never)],
    ['{ timeout: 5000 }', (read) => read.readLine('x' as never)],
    ['timeout must be', (read) => read.readLine({ timeout: -1 })],
    ['{ timeout: 5000 }', ({ socket }) => reader(socket, 'x' as never)],
    ['timeout must be', ({ socket }) => reader(socket, { timeout: -1 })],
    ['maxLength must be', ({ socket }) => reader(socket, { maxLength: -1 })],
  ])('name what is wrong in the arguments: %s', async (message, call) => {
    const { read } = await reading('');
    expect(() => call(read, {})).toThrow(message);
  });

  test('say that the input has ended', async () => {
    const { read } = await reading('a');
    await read.read(1);
    await expect(read.read(1)).rejects.toThrow('The input ended before the bytes that were asked for');
  });

  test('say that it was released', async () => {
    const { read } = await reading('', { end: false });
    read.release();
    await expect(read.readLine()).rejects.toMatchObject({
      message: 'The reader was released: create a new reader to go on',
      code: 'ERR_READER_RELEASED',
      phase: 'read',
    });
  });

  test('say that it was released, also when the input had ended before', async () => {
    const { read, socket } = await reading('abc');
    await expect(read.read(10)).rejects.toMatchObject({ code: 'ERR_FRAME_TRUNCATED' });
    read.release();
    await expect(read.readLine()).rejects.toMatchObject({ code: 'ERR_READER_RELEASED' });
    await expect(read.readAll()).rejects.toMatchObject({ code: 'ERR_READER_RELEASED' });
    expect(String(await reader(socket).readAll())).toBe('abc');
  });

  test('say how long the read waited, and for which peer', async () => {
    const { read, socket } = await reading('', { end: false, timeout: 5 });
    const { port } = socket.remote as { port: number };
    const message = `The read from 127.0.0.1:${port} was not complete within timeout (5 ms)`;
    await expect(read.readLine()).rejects.toMatchObject({ message, phase: 'read', timeout: 'timeout' });
  });
});

test('a read takes what arrived in time while the event loop was blocked', async () => {
  const { peer, read } = await reading('', { end: false });
  const line = read.readLine({ timeout: 100 });
  await turns();
  // Behind the phase of the loop in which sockets are read: the timer comes first.
  setImmediate(() => {
    peer.write('in time\n');
    const end = performance.now() + 200;
    while (performance.now() < end);
  });
  expect(await line).toBe('in time');
});
