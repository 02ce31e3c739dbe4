// sendFrom(): any source of chunks, and what happens to it when the transfer is cut.
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { ReadableStream } from 'node:stream/web';
import { data, type FlowInput, fromDuplex, sendFrom } from '@rxsock/core';
import { lastValueFrom } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { dial, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { transfer } from '../../src/transfer/transfer.js';
import { fileOf, receive, sha } from '../support/files.js';

const CHUNK = Buffer.alloc(65_536, 'x');

/** Yields chunks without end, or the given number of chunks and then waits or fails. */
function endless(after = Number.POSITIVE_INFINITY, then: 'wait' | 'fail' = 'wait') {
  const seen = { pulled: 0, returned: 0 };
  const source: AsyncIterable<Buffer> & AsyncIterator<Buffer> = {
    [Symbol.asyncIterator]: () => source,
    async next() {
      if (seen.pulled === after && then === 'fail') throw new Error('the source failed');
      if (seen.pulled === after) return new Promise(() => {});
      seen.pulled++;
      return { done: false, value: CHUNK };
    },
    async return() {
      seen.returned++;
      return { done: true, value: undefined };
    },
  };
  return { source, seen };
}

describe('sendFrom()', () => {
  test.each<[string, () => FlowInput<Uint8Array | string>]>([
    ['an iterable', () => ['one ', Buffer.from('two '), 'thr€€']],
    [
      'an async generator',
      async function* () {
        yield 'one ';
        yield Buffer.from('two ');
        yield 'thr€€';
      },
    ],
    ['a ReadableStream', () => ReadableStream.from(['one ', 'two ', 'thr€€'])],
  ])('sends %s and then FIN', async (_, source) => {
    const { socket, peer } = await pair();
    const { log, values } = record(sendFrom(socket, source()));
    const { bytes, end } = await receive(peer);
    expect([String(bytes), end]).toEqual(['one two thr€€', 'end']);
    await vi.waitUntil(() => log.at(-1) === 'complete');
    expect(values.at(-1)).toEqual({ bytesSent: Buffer.byteLength('one two thr€€') });
  });

  test('sends a whole Readable', async () => {
    const { file, bytes } = await fileOf(3_000_001);
    const { socket, peer } = await pair();
    const received = receive(peer);
    expect(await lastValueFrom(sendFrom(socket, createReadStream(file)))).toEqual({ bytesSent: bytes.length });
    expect(sha((await received).bytes)).toBe(sha(bytes));
  });

  test('pulls no further than one high-water mark beyond the bytes that were sent', async () => {
    const { source, seen } = endless();
    const { socket } = await pair({ highWaterMark: 3 * CHUNK.length });
    record(sendFrom(socket, source));
    await vi.waitUntil(() => socket.writableLength >= 3 * CHUNK.length);
    const { pulled } = seen;
    expect(pulled * CHUNK.length - socket.bytesWritten).toBe(3 * CHUNK.length);
    await new Promise(setImmediate);
    expect(seen.pulled).toBe(pulled);
  });

  test('with end: false leaves the write side open', async () => {
    const { socket } = await pair();
    await lastValueFrom(sendFrom(socket, ['x'], { end: false }));
    expect(socket.readyState).toBe('open');
  });

  test('completes when all bytes were sent, not before', async () => {
    const { port } = await rawServer();
    const socket = dial({ port });
    expect(await lastValueFrom(sendFrom(socket, ['abc'], { end: false }))).toEqual({ bytesSent: 3 });
    expect([socket.bytesWritten, socket.writableLength]).toEqual([3, 0]);
  });

  test('resets when the source fails, and fails with the error of the source', async () => {
    const { source, seen } = endless(3, 'fail');
    const { socket, peer } = await pair();
    const { ended } = record(sendFrom(socket, source));
    expect((await receive(peer)).end).toBe('ECONNRESET');
    expect((await ended).error).toEqual(new Error('the source failed'));
    expect(seen.returned).toBe(0);
  });

  test('resets and returns the source at an invalid chunk', async () => {
    const { socket, peer } = await pair();
    let returned = false;
    function* source(): Generator<string> {
      try {
        yield 'x';
        yield 1 as never;
      } finally {
        returned = true;
      }
    }
    const { ended } = record(sendFrom(socket, source()));
    expect((await receive(peer)).end).toBe('ECONNRESET');
    expect((await ended).error).toBeInstanceOf(TypeError);
    expect(returned).toBe(true);
  });

  test('returns a source that keeps it waiting, when the peer leaves', async () => {
    const { source, seen } = endless(1);
    const { socket, peer } = await pair();
    const { ended } = record(sendFrom(socket, source));
    await once(peer.resume(), 'data');
    socket.subscribe({ error: () => {} });
    peer.resetAndDestroy();
    expect((await ended).error).toMatchObject({ code: 'ECONNRESET' });
    expect(seen.returned).toBe(1);
  });

  test('returns the source when only the write side has failed, and leaves what the peer sent to readers', async () => {
    const { source, seen } = endless(1);
    const { socket, peer } = await pair({ allowHalfOpen: true });
    const release = socket.hold('test');
    const answer = record(socket.pipe(data()));
    const { ended } = record(sendFrom(socket, source));
    await once(peer.resume(), 'data');
    peer.end('answer');
    await vi.waitUntil(() => socket.bytesRead === 6);
    peer.destroy();
    await new Promise((resolve) => peer.once('close', resolve));
    // The peer answers with a reset, after which the next write fails.
    await socket.write('more');
    await vi.waitUntil(() =>
      socket.write('and more').then(
        () => false,
        () => true,
      ),
    );
    expect((await ended).error).toMatchObject({ name: 'ResetError' });
    expect([seen.returned, answer.log]).toEqual([1, []]);
    release();
    await answer.ended;
    expect(answer.log[0]).toBe('answer');
  });

  test('returns the source when someone else has completed the socket and it closes', async () => {
    const { source, seen } = endless(1);
    const { socket, peer } = await pair();
    const { ended } = record(sendFrom(socket, source));
    await once(peer.resume(), 'data');
    socket.complete();
    peer.end();
    expect((await ended).error).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE', phase: 'write' });
    expect(seen.returned).toBe(1);
  });

  test('returns a source that keeps it waiting, and resets, on unsubscription', async () => {
    const { source, seen } = endless(1);
    const { socket, peer } = await pair();
    const { subscription, log } = record(sendFrom(socket, source));
    peer.once('data', () => subscription.unsubscribe());
    expect((await receive(peer)).end).toBe('ECONNRESET');
    await vi.waitUntil(() => seen.returned === 1);
    expect(log).not.toContain('complete');
  });

  test('destroys a Readable that waits', async () => {
    const { socket, peer } = await pair();
    const { Readable } = await import('node:stream');
    const readable = new Readable({ read() {} });
    readable.push('x');
    const { subscription } = record(sendFrom(socket, readable));
    peer.once('data', () => subscription.unsubscribe());
    await receive(peer);
    await vi.waitUntil(() => readable.destroyed);
  });

  test('fails if the socket fails between the last byte and FIN', async () => {
    const { Duplex } = await import('node:stream');
    const error = new Error('FIN could not be sent');
    const duplex = new Duplex({
      read() {},
      write: (_chunk, _encoding, done) => done(),
      // FIN waits until the stream is destroyed.
      final: () => setImmediate(() => duplex.destroy(error)),
    });
    const { log, values, ended } = record(sendFrom(fromDuplex(duplex), ['all of it']));
    expect((await ended).error).toMatchObject({ cause: error });
    expect(values).toEqual([{ bytesSent: 9 }]);
    expect(log).not.toContain('complete');
  });

  test('fails if it was stopped, although its source was sent to the end', async () => {
    const { socket, peer } = await pair();
    const error = new Error('stopped');
    const { ended } = record(transfer(socket, true, async ({ stop }) => stop(error)));
    expect(await ended).toEqual({ error });
    expect((await receive(peer)).end).toBe('ECONNRESET');
  });

  test('rejects a source that cannot be pulled, at the call', async () => {
    const { socket } = await pair();
    for (const source of [null, 1, {}, new Promise(() => {})]) {
      expect(() => sendFrom(socket, source as never)).toThrow(TypeError);
    }
  });
});

test('a source may reuse the memory of a chunk when the next chunk is pulled', async () => {
  const { socket, peer } = await pair();
  function* refilled() {
    const memory = Buffer.alloc(2);
    for (let n = 0; n < 5; n++) {
      memory.write(`n${n}`);
      yield memory;
    }
  }
  await lastValueFrom(sendFrom(socket, refilled()));
  expect(String((await receive(peer)).bytes)).toBe('n0n1n2n3n4');
});
