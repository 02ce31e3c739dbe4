// The memory that sockets read into: all share one piece, which is lent to decoders, and from which small chunks are copied.
// Large chunks come in blocks of their own.
import { once } from 'node:events';
import net from 'node:net';
import {
  type Codec,
  data,
  decode,
  delimited,
  fixedLength,
  fromDuplex,
  jsonLines,
  lengthPrefixed,
  lines,
  linesCodec,
  mapCodec,
  mapWithBackpressure,
  netstrings,
  reader,
  type Socket,
} from '@rxsock/core';
import { type ByteTap, tapBytes } from '@rxsock/core/internal';
import fc from 'fast-check';
import { map, type OperatorFunction, take, tap } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { setNodeInternals } from '../../../../tests/support/node-internals.js';
import { checkProperty } from '../../../../tests/support/property.js';
import { opened, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { deferred } from '../../src/base/deferred.js';
import { patcherOf } from '../../src/engine/node-internals.js';
import { ownedBlocks } from '../../src/engine/read-memory.js';
import { controlOf } from '../../src/socket.js';

interface Pair {
  readonly socket: Socket;
  /** The stream beneath. */
  readonly stream: net.Socket;
  readonly peer: net.Socket;
}

/** @param prepare Called before the stream has a socket. */
async function pair(
  prepare: (stream: net.Socket) => void = () => {},
  options: Partial<net.TcpNetConnectOpts> = {},
): Promise<Pair> {
  const server = await rawServer();
  const stream = net.connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true, ...options });
  const [peer] = await Promise.all([server.next(), once(stream, 'connect')]);
  prepare(stream);
  const socket = fromDuplex(stream, { keepOpen: true });
  onTestFinished(() => socket.error());
  await opened(socket);
  return { socket, stream, peer };
}

/** The memory that a stream reads into; `null` if Node allocates it for each read. */
function memoryOf(stream: net.Socket): Uint8Array | null {
  const [key] = Object.getOwnPropertySymbols(stream).filter(({ description }) => description === 'kBuffer');
  return (stream as unknown as Record<symbol, Uint8Array | null>)[key!]!;
}

/** Writes, and waits until the other side has received it. */
async function send({ peer, socket }: Pair, bytes: string): Promise<void> {
  const before = socket.bytesRead;
  peer.write(bytes);
  while (socket.bytesRead < before + Buffer.byteLength(bytes)) await turns(1);
}

/** The stream leaves its socket. */
function handOver({ socket, stream }: Pair): net.Socket {
  expect(controlOf(socket).handOver().stream).toBe(stream);
  onTestFinished(() => void stream.destroy());
  return stream;
}

/** Lets another socket read, so that whatever was lent is overwritten. */
async function overwrite(): Promise<void> {
  const other = await pair();
  record(other.socket.pipe(data(), lines()));
  await send(other, '#'.repeat(60_000));
}

/** Uses the turn up. */
function blockLoop(): void {
  for (const until = performance.now() + 6; performance.now() < until; );
}

/** Collects the errors that nobody catches, until the test is over. */
function catchUncaught(): unknown[] {
  const errors: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => errors.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  });
  return errors;
}

describe('the memory of reads', () => {
  test('is the same for all sockets, dialled and accepted', async () => {
    const { socket, stream, peer } = await pair();
    record(socket.pipe(data(), lines()));
    const other = fromDuplex(peer, { keepOpen: true });
    onTestFinished(() => other.error());
    record(other);
    expect(memoryOf(stream)?.length).toBe(65_536);
    expect(memoryOf(peer)).toBe(memoryOf(stream));
  });

  const upper: Codec<string> = mapCodec(linesCodec(), { decode: (line) => line.toUpperCase(), encode: (line) => line });
  const borrowing: Record<string, OperatorFunction<Uint8Array, unknown>> = {
    'lines()': lines(),
    'jsonLines()': jsonLines(),
    'delimited()': delimited('\n'),
    'fixedLength()': fixedLength(3),
    'netstrings()': netstrings(),
    'lengthPrefixed()': lengthPrefixed({ lengthField: 1 }),
    'a mapped codec': decode(upper),
  };
  test.each(Object.entries(borrowing))('is lent to %s', async (_, operator) => {
    const { socket, stream } = await pair();
    record(socket.pipe(data(), operator));
    expect(patcherOf(stream).lends).toBe(true);
  });

  const foreign: Pick<Codec<Uint8Array>, 'decoder'> = {
    decoder: () => {
      const chunks: Uint8Array[] = [];
      return {
        push: (chunk) => chunks.push(chunk),
        next: () => chunks.shift(),
        end: () => {},
        rest: () => Buffer.concat(chunks),
      };
    },
  };
  const others: Record<string, (socket: Socket) => void> = {
    'data()': (socket) => void record(socket.pipe(data())),
    'a subscriber of all events': (socket) => void record(socket),
    'a decoder that somebody else has written': (socket) => void record(socket.pipe(data(), decode(foreign))),
    'a decoder behind another operator': (socket) =>
      void record(
        socket.pipe(
          data(),
          map((bytes) => bytes),
          lines(),
        ),
      ),
    'reader()': (socket) => void reader(socket).readLine(),
    'two decoders': (socket) => {
      const held = socket.hold();
      record(socket.pipe(data(), lines()));
      record(socket.pipe(data(), lines()));
      held();
    },
  };
  test.each(Object.entries(others))('is not lent to %s', async (_, read) => {
    const { socket, stream } = await pair();
    read(socket);
    expect(patcherOf(stream).lends).toBe(false);
  });

  test('is lent as it is, without a copy', async () => {
    const both = await pair();
    record(both.socket.pipe(data(), lines()));
    await send(both, 'first\n');
    const allocate = vi.spyOn(Buffer, 'allocUnsafeSlow');
    onTestFinished(() => allocate.mockRestore());
    await send(both, `${'x'.repeat(3_000)}\n`);
    expect(allocate.mock.calls).toEqual([]);
  });

  test('is that of Node where Node does not support another one', async () => {
    onTestFinished(setNodeInternals({ readMemory: false }));
    const { socket, stream } = await pair();
    record(socket.pipe(data(), lines()));
    expect(memoryOf(stream)).toBeNull();
  });

  test('stays that of the option onread, if a stream has it', async () => {
    const buffer = Buffer.alloc(10);
    const { socket, stream } = await pair(undefined, { onread: { buffer, callback: () => true } });
    record(socket.pipe(data(), lines()));
    expect(memoryOf(stream)).toBe(buffer);
  });

  test('is that of Node where its parts are missing', async () => {
    const { socket, stream, peer } = await pair((unread) => {
      Object.assign((unread as unknown as { _handle: object })._handle, { useUserBuffer: undefined });
    });
    const { values } = record(socket.pipe(data(), lines()));
    expect(memoryOf(stream)).toBeNull();
    await send({ socket, stream, peer }, 'a\nb\n');
    expect(values).toEqual(['a', 'b']);
  });
});

/** More than a block, in one write. */
const LARGE = 'x'.repeat(300_000);

describe('a received chunk', () => {
  test('of a few bytes is a copy, and no part of the memory of reads', async () => {
    const one = await pair();
    const { values } = record(one.socket.pipe(data()));
    await send(one, 'hello');
    expect(values[0]?.buffer).not.toBe(memoryOf(one.stream)?.buffer);
    await overwrite();
    expect(String(values[0])).toBe('hello');
  });

  test('that is large is not copied, and shares its block with no other one', async () => {
    const one = await pair();
    const { values } = record(one.socket.pipe(data()));
    const copy = vi.spyOn(Buffer.prototype, 'copy');
    onTestFinished(() => copy.mockRestore());
    await send(one, LARGE);
    const large = values.filter(({ length }) => length >= 32_768).slice(1);
    expect(large.length).toBeGreaterThan(0);
    expect(new Set(large.map(({ buffer }) => buffer)).size).toBe(large.length);
    for (const { buffer } of large) expect(buffer.byteLength).toBe(65_536);
    // The first one filled the shared memory. Small ones between them are copied too.
    const small = values.filter(({ length }) => length < 32_768 && length > 64);
    expect(copy).toHaveBeenCalledTimes(1 + small.length);
    await overwrite();
    expect(Buffer.concat(values).equals(Buffer.from(LARGE))).toBe(true);
  });

  test('that waits keeps no memory beside its own', async () => {
    const one = await pair();
    const release = one.socket.hold();
    const { values } = record(one.socket.pipe(data()));
    await send(one, 'a'.repeat(100));
    await send(one, 'b'.repeat(600));
    release();
    await turns(2);
    expect(values.map(({ length, buffer }) => [length, buffer.byteLength])).toEqual([
      [100, 100],
      [600, 600],
    ]);
  });

  test('cannot be moved to another thread with what others have in its memory', async () => {
    const one = await pair();
    const { values } = record(one.socket.pipe(data()));
    await send(one, 'first');
    const { port1 } = new MessageChannel();
    onTestFinished(() => port1.close());
    try {
      port1.postMessage(values[0], [values[0]!.buffer as ArrayBuffer]);
    } catch (error) {
      // Newer versions of Node refuse it, and older ones copy.
      expect(error).toMatchObject({ name: 'DataCloneError' });
    }
    await send(one, 'second');
    expect(values.map(String)).toEqual(['first', 'second']);
  });
});

test('a chunk that has waited cannot be moved to another thread with chunks that still wait', async () => {
  const one = await pair();
  const release = one.socket.hold();
  const texts: string[] = [];
  const { ended } = record(
    one.socket.pipe(
      data(),
      tap((chunk) => {
        texts.push(String(chunk));
        try {
          structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] });
        } catch (error) {
          // Newer versions of Node refuse it, and older ones copy.
          expect(error).toMatchObject({ name: 'DataCloneError' });
        }
      }),
    ),
  );
  const sent = ['a', 'b', 'c'.repeat(600), 'd'];
  for (const text of sent) await send(one, text);
  release();
  one.peer.end();
  expect(await ended).toEqual({});
  expect(texts).toEqual(sent);
});

describe('a block of its own', () => {
  test('is what a socket reads into after a large chunk, and up to a small one', async () => {
    const one = await pair();
    const shared = memoryOf(one.stream);
    record(one.socket.pipe(data()));
    const states: boolean[] = [];
    const watched = one.socket.pipe(data()).subscribe(() => states.push(memoryOf(one.stream) === shared));
    onTestFinished(() => watched.unsubscribe());
    await send(one, LARGE);
    expect(states).toContain(false);
    await send(one, 'a');
    await send(one, 'b');
    expect(memoryOf(one.stream)).toBe(shared);
  });

  test('is reused by the next socket that needs one', async () => {
    const one = await pair();
    record(one.socket.pipe(data()));
    await send(one, LARGE.slice(0, 65_536));
    const block = memoryOf(one.stream);
    await send(one, 'a');
    const other = await pair();
    record(other.socket.pipe(data()));
    if (block === memoryOf(one.stream)) throw new Error('it had no block');
    await send(other, LARGE.slice(0, 65_536));
    expect(memoryOf(other.stream)).toBe(block);
  });

  test.each<[string, (one: Pair) => unknown]>([
    ['is closed', ({ socket, stream }) => [socket.error(), once(stream, 'close')][1]],
    ['has lent to a decoder', (one) => [record(one.socket.pipe(data(), lines())), send(one, 'a\n')][1]],
    ['has left its stream', ({ socket }) => controlOf(socket).handOver().stream.destroy()],
  ])('is given up when the socket %s', async (_, end) => {
    const one = await pair();
    const before = ownedBlocks();
    const reading = one.socket.pipe(data()).subscribe();
    await send(one, LARGE.slice(0, 65_536));
    expect(ownedBlocks()).toBe(before + 1);
    reading.unsubscribe();
    await end(one);
    expect(ownedBlocks()).toBe(before);
  });

  test('is had by 64 sockets at most: the others copy', async () => {
    const pairs = await Promise.all(Array.from({ length: 66 }, () => pair()));
    const recordings = pairs.map(({ socket }) => record(socket.pipe(data())));
    await Promise.all(pairs.map((one) => send(one, LARGE.slice(0, 65_536))));
    expect(ownedBlocks()).toBe(64);
    await Promise.all(pairs.map((one) => send(one, LARGE)));
    expect(ownedBlocks()).toBeLessThanOrEqual(64);
    for (const { values } of recordings) expect(Buffer.concat(values).length).toBe(365_536);
    for (const { values } of recordings) expect(Buffer.concat(values).every((byte) => byte === 120)).toBe(true);
  });
});

describe.each([
  ['shared', true],
  ['allocated by Node', false],
])('bytes in memory that is %s', (_, readMemory) => {
  const restoring = () => onTestFinished(setNodeInternals({ readMemory }));

  test('stay as they are while a frame is not complete', async () => {
    restoring();
    const one = await pair();
    const { values } = record(one.socket.pipe(data(), lines()));
    await send(one, 'first\nsec');
    await overwrite();
    await send(one, 'ond\n');
    expect(values).toEqual(['first', 'second']);
  });

  test.each<[string, (one: Pair) => unknown]>([
    ['', () => {}],
    [', and another reader comes in it', ({ socket }) => record(socket.pipe(data()))],
  ])('stay as they are while the consumer holds inside a chunk%s', async (_, comes) => {
    restoring();
    const one = await pair();
    const { promise: released, resolve: release } = deferred();
    const slowly = mapWithBackpressure(
      (line: string) => {
        if (line === '1') comes(one);
        return released.then(() => line);
      },
      { highWaterMark: 1 },
    );
    const { values } = record(one.socket.pipe(data(), lines(), slowly));
    await send(one, '1\n2\n3\n4\n5\n6');
    await overwrite();
    release();
    await turns(2);
    await send(one, '\n');
    expect(values).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  test('stay as they are while they wait for the next turn, because other sockets have used this one up', async () => {
    restoring();
    const sockets = await Promise.all([pair(), pair(), pair()]);
    const recordings = sockets.map(({ socket }) => record(socket.pipe(data(), lines(), tap(blockLoop))));
    await turns(2);
    for (const [index, { peer }] of sockets.entries()) peer.end(`${index}\n`.repeat(3));
    await Promise.all(recordings.map(({ ended }) => ended));
    expect(recordings.map(({ values }) => values.join(''))).toEqual(['000', '111', '222']);
  });

  test('stay as they are if something holds the socket before they are delivered', async () => {
    restoring();
    const one = await pair();
    const releases: (() => void)[] = [];
    const holding: Partial<ByteTap> = {
      received: (socket) => {
        if (socket === one.socket && releases.length === 0) releases.push(one.socket.hold());
      },
    };
    onTestFinished(tapBytes(holding as ByteTap));
    const { values } = record(one.socket.pipe(data(), lines()));
    await send(one, '1\n');
    expect(values).toEqual([]);
    await overwrite();
    for (const release of releases) release();
    await turns(2);
    expect(values).toEqual(['1']);
  });

  test('stay as they are for the reader after one that leaves inside a chunk', async () => {
    restoring();
    const one = await pair();
    const first = record(one.socket.pipe(data(), lines(), take(1)));
    await send(one, '1\n2\n3');
    await first.ended;
    await overwrite();
    const { values } = record(one.socket.pipe(data()));
    await turns(2);
    expect(Buffer.concat(values).toString()).toBe('2\n3');
  });

  test('stay as they are for a reader that comes while a decoder reads', async () => {
    restoring();
    const one = await pair();
    record(one.socket.pipe(data(), lines()));
    await send(one, '1\n');
    const { values } = record(one.socket.pipe(data()));
    await send(one, '2\n');
    await overwrite();
    expect(Buffer.concat(values).toString()).toBe('2\n');
  });

  test('stay as they are in frames that somebody keeps', async () => {
    restoring();
    const one = await pair();
    const { values } = record(one.socket.pipe(data(), delimited('\n')));
    await send(one, '1\n22\n');
    await overwrite();
    expect(values.map(String)).toEqual(['1', '22']);
  });

  test('stay as they are before a bad frame, for the next reader', async () => {
    restoring();
    const one = await pair();
    const { values, ended } = record(one.socket.pipe(data(), netstrings()));
    await send(one, '1:a,bad\n');
    await overwrite();
    expect(await ended).toMatchObject({ error: { code: 'ERR_FRAME_MALFORMED' } });
    expect(values.map(String)).toEqual(['a']);
    expect(await reader(one.socket).readLine()).toBe('bad');
  });

  test('stay as they are on the stream after it has left its socket', async () => {
    restoring();
    const one = await pair();
    const first = record(one.socket.pipe(data(), lines(), take(1)));
    await send(one, 'STARTTLS\n');
    await first.ended;
    const stream = handOver(one);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    one.peer.write('hello');
    await once(stream, 'data');
    await overwrite();
    expect(Buffer.concat(chunks).toString()).toBe('hello');
  });

  test('stay as they are on a stream that has left its socket and connects again', async () => {
    restoring();
    const one = await pair();
    record(one.socket).subscription.unsubscribe();
    await send(one, 'before');
    await turns(2);
    const stream = handOver(one);
    await once(stream.destroy(), 'close');
    await overwrite();
    const server = await rawServer();
    stream.connect({ port: server.port, host: '127.0.0.1' });
    (await server.next()).write('hello');
    expect(String((await once(stream, 'data'))[0])).toBe('hello');
  });

  test('stay as they are on a stream that has left its socket, if a listener throws', async () => {
    restoring();
    const one = await pair();
    const reading = one.socket.pipe(data()).subscribe();
    await send(one, LARGE.slice(0, 65_536));
    reading.unsubscribe();
    await turns(2);
    const stream = handOver(one);
    const caught = catchUncaught();
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      throw new Error('of a listener');
    });
    for (const letter of 'abc') {
      const before = chunks.length;
      one.peer.write(letter.repeat(65_536));
      while (Buffer.concat(chunks.slice(before)).length < 65_536) await turns(1);
    }
    expect(caught.length).toBe(chunks.length);
    expect(Buffer.concat(chunks).toString()).toBe([...'abc'].map((letter) => letter.repeat(65_536)).join(''));
  });

  test('are the same however they are cut, and whoever reads at the same time', async () => {
    restoring();
    const pieces = fc.array(fc.array(fc.constantFrom('a', 'bc', '\n', '\r\n', 'é'), { maxLength: 30 }), {
      maxLength: 8,
    });
    await checkProperty(
      fc.asyncProperty(pieces, pieces, async (left, right) => {
        const both = await Promise.all([left, right].map(async (texts) => ({ texts, ...(await pair()) })));
        const recordings = both.map(({ socket }) => record(socket.pipe(data(), lines())));
        for (let at = 0; at < 8; at++) {
          await Promise.all(both.map((one) => send(one, (one.texts[at] ?? []).join(''))));
        }
        for (const { peer } of both) peer.end();
        await Promise.all(recordings.map(({ ended }) => ended));
        for (const [index, { texts, socket }] of both.entries()) {
          const text = texts.flat().join('');
          const expected = text.split(/\r?\n/);
          if (expected.at(-1) === '') expected.pop();
          expect(recordings[index]?.values).toEqual(expected);
          socket.error();
        }
      }),
      { numRuns: 20 },
    );
  });
});
