// Received bytes that are lent to decoders: all sockets read into the same memory, so that what is kept must be copied.
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
import { controlOf } from '../../src/socket.js';

interface Pair {
  readonly socket: Socket;
  /** The stream beneath. */
  readonly stream: net.Socket;
  readonly peer: net.Socket;
}

async function pair(options: Partial<net.TcpNetConnectOpts> = {}): Promise<Pair> {
  const server = await rawServer();
  const stream = net.connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true, ...options });
  const [peer] = await Promise.all([server.next(), once(stream, 'connect')]);
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

describe('the memory of reads', () => {
  test('is the same for all sockets whose only reader is a decoder, dialled and accepted', async () => {
    const { socket, stream, peer } = await pair();
    record(socket.pipe(data(), lines()));
    const other = fromDuplex(peer, { keepOpen: true });
    onTestFinished(() => other.error());
    record(other.pipe(data(), lengthPrefixed({ lengthField: 4 })));
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
    expect(memoryOf(stream)).not.toBeNull();
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
    expect(memoryOf(stream)).toBeNull();
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

  test('is not lent where Node does not support it', async () => {
    onTestFinished(setNodeInternals({ lending: false }));
    const { socket, stream } = await pair();
    record(socket.pipe(data(), lines()));
    expect(memoryOf(stream)).toBeNull();
  });

  test('stays that of the option onread, if a stream has it', async () => {
    const buffer = Buffer.alloc(10);
    const { socket, stream } = await pair({ onread: { buffer, callback: () => true } });
    record(socket.pipe(data(), lines()));
    expect(memoryOf(stream)).toBe(buffer);
  });

  test('is that of Node where its parts are missing', async () => {
    const { socket, stream, peer } = await pair();
    Object.assign((stream as unknown as { _handle: object })._handle, { useUserBuffer: undefined });
    const { values } = record(socket.pipe(data(), lines()));
    expect(memoryOf(stream)).toBeNull();
    await send({ socket, stream, peer }, 'a\nb\n');
    expect(values).toEqual(['a', 'b']);
  });
});

describe.each([
  ['lent', true],
  ['allocated by Node', false],
])('bytes in memory that is %s', (_, lending) => {
  const restoring = () => onTestFinished(setNodeInternals({ lending }));

  test('stay as they are while a frame is not complete', async () => {
    restoring();
    const one = await pair();
    const { values } = record(one.socket.pipe(data(), lines()));
    await send(one, 'first\nsec');
    await overwrite();
    await send(one, 'ond\n');
    expect(values).toEqual(['first', 'second']);
  });

  test('stay as they are while the consumer holds inside a chunk', async () => {
    restoring();
    const one = await pair();
    const { promise: released, resolve: release } = deferred();
    const slowly = mapWithBackpressure((line: string) => released.then(() => line), { highWaterMark: 1 });
    const { values } = record(one.socket.pipe(data(), lines(), slowly));
    await send(one, '1\n2\n3\n4\n5\n6');
    await overwrite();
    release();
    await turns(2);
    await send(one, '\n');
    expect(values).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  test('stay as they are while the consumer holds inside a chunk, and another reader comes in it', async () => {
    restoring();
    const one = await pair();
    const { promise: released, resolve: release } = deferred();
    const slowly = mapWithBackpressure(
      (line: string) => {
        if (line === '1') record(one.socket.pipe(data()));
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
    const stream = controlOf(one.socket).handOver().stream as net.Socket;
    onTestFinished(() => void stream.destroy());
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    one.peer.write('hello');
    await once(stream, 'data');
    await overwrite();
    expect(Buffer.concat(chunks).toString()).toBe('hello');
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
