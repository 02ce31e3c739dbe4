// toReadableStream() and toWritableStream(): Web Streams with backpressure in both directions.
import { ReadableStream, type WritableStreamDefaultWriter } from 'node:stream/web';
import { data, flowFrom, on, type Socket, SocketError, toReadableStream, toWritableStream } from '@rxsock/core';
import { concat, firstValueFrom, Observable, of, throwError } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { receive } from '../support/files.js';

describe('toReadableStream()', () => {
  test('yields the bytes, and closes with the peer', async () => {
    const { socket, peer } = await pair();
    peer.end('hello');
    let all = '';
    for await (const bytes of toReadableStream(socket.pipe(data()))) all += bytes;
    expect(all).toBe('hello');
  });

  test('holds its sources while nobody reads', async () => {
    let pulled = 0;
    function* source() {
      for (;;) yield pulled++;
    }
    const stream = toReadableStream(flowFrom(source()));
    await turns(1);
    expect(pulled).toBe(0);
    const reader = stream.getReader();
    expect(await reader.read()).toEqual({ done: false, value: 0 });
    await turns(1);
    expect(pulled).toBeLessThanOrEqual(3);
    await reader.cancel();
  });

  test('unsubscribes when cancelled, also while a read waits', async () => {
    const unsubscribed = vi.fn();
    const reader = toReadableStream(new Observable<never>(() => unsubscribed)).getReader();
    const read = reader.read();
    await turns(1);
    await reader.cancel();
    expect(await read).toMatchObject({ done: true });
    expect(unsubscribed).toHaveBeenCalledOnce();
  });

  test('fails with its source, after the data before the error', async () => {
    const reader = toReadableStream(
      concat(
        of('x'),
        throwError(() => new Error('broken')),
      ),
    ).getReader();
    expect(await reader.read()).toEqual({ done: false, value: 'x' });
    await expect(reader.read()).rejects.toThrow('broken');
  });
});

describe('toWritableStream()', () => {
  test('writes, and closes once FIN is out', async () => {
    const { socket, peer } = await pair();
    const received = receive(peer);
    await ReadableStream.from(['one ', Buffer.from('two')]).pipeTo(toWritableStream(socket));
    expect(socket.readyState).toBe('readOnly');
    const { bytes, end } = await received;
    expect([String(bytes), end]).toEqual(['one two', 'end']);
  });

  test('makes its writer wait for the peer', async () => {
    const { socket, peer } = await pair();
    const writer = toWritableStream(socket).getWriter();
    const chunk = Buffer.alloc(10_000_000);
    await writer.ready;
    const written = writer.write(chunk);
    await vi.waitUntil(() => socket.writableLength > 0);
    expect(writer.desiredSize).toBe(0);
    peer.resume();
    await written;
    expect([socket.writableLength, writer.desiredSize]).toEqual([0, 1]);
  });

  test("writes everything after the peer's FIN, whatever allowHalfOpen says", async () => {
    const { socket, peer } = await pair({ allowHalfOpen: false });
    const writer = toWritableStream(socket).getWriter();
    await writer.write('one ');
    peer.end();
    await firstValueFrom(socket.pipe(on('end')));
    await writer.write('two');
    await writer.close();
    const { bytes, end } = await receive(peer);
    expect([String(bytes), end]).toEqual(['one two', 'end']);
    await vi.waitUntil(() => socket.readyState === 'closed');
  });

  test('resets when aborted', async () => {
    const { socket, peer } = await pair();
    const writer = toWritableStream(socket).getWriter();
    await writer.write('a part');
    await writer.abort('enough');
    expect((await receive(peer)).end).toBe('ECONNRESET');
  });

  test.each([
    ['a chunk of the wrong type', (_socket: Socket) => 42],
    [
      'a chunk after a complete() of somebody else',
      (socket: Socket) => {
        socket.next(Buffer.alloc(20_000_000));
        socket.complete();
        return 'late';
      },
    ],
  ])('resets after %s, because the rest does not come', async (_what, prepare) => {
    const { socket, peer } = await pair();
    const writer = toWritableStream(socket).getWriter();
    await writer.write('a part');
    const chunk = prepare(socket);
    await expect(writer.write(chunk as string)).rejects.toThrow(chunk === 42 ? TypeError : SocketError);
    expect((await receive(peer)).end).toBe('ECONNRESET');
    expect(socket.readyState).toBe('closed');
  });

  test('fails with the socket, even if nobody writes', async () => {
    const { socket, peer } = await pair();
    const writer = toWritableStream(socket).getWriter();
    peer.resetAndDestroy();
    await expect(writer.closed).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(writer.write('x')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('fails to close if FIN cannot be sent', async () => {
    const { socket, peer } = await pair();
    const writer = toWritableStream(socket).getWriter();
    writer.write(Buffer.alloc(20_000_000)).catch(() => {});
    const closing = writer.close();
    await vi.waitUntil(() => socket.writableLength > 0);
    peer.resetAndDestroy();
    await expect(closing).rejects.toMatchObject({ name: 'ResetError' });
  });
});

test.each([
  ['a write', (writer: WritableStreamDefaultWriter) => void writer.write(Buffer.alloc(32_000_000)).catch(() => {})],
  [
    'a write and a close',
    (writer: WritableStreamDefaultWriter) => {
      writer.write(Buffer.alloc(32_000_000)).catch(() => {});
      writer.close().catch(() => {});
    },
  ],
])('abort() does not wait for %s in progress', async (_what, write) => {
  const { socket } = await pair();
  const writer = toWritableStream(socket).getWriter();
  writer.closed.catch(() => {});
  write(writer);
  await turns();
  const reason = new Error('enough');
  await writer.abort(reason).catch(() => {});
  expect((await record(socket).ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED', cause: reason });
  expect(await socket.close()).toMatchObject({ how: 'abort', bytesUnsent: 32_000_000 });
});
