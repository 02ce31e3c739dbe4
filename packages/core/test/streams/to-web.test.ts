// toReadableStream() and toWritableStream(): Web Streams, with backpressure both ways.
import { ReadableStream } from 'node:stream/web';
import { data, flowFrom, on, toReadableStream, toWritableStream } from '@rxsock/core';
import { concat, firstValueFrom, Observable, of, throwError } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';
import { receive } from '../support/files.js';

const turn = () => new Promise(setImmediate);

describe('toReadableStream()', () => {
  it('gives the bytes, and closes with the peer', async () => {
    const { socket, peer } = await pair();
    peer.end('hello');
    let all = '';
    for await (const bytes of toReadableStream(socket.pipe(data()))) all += bytes;
    expect(all).toBe('hello');
  });

  it('holds its sources while nobody reads', async () => {
    let pulled = 0;
    function* source() {
      for (;;) yield pulled++;
    }
    const stream = toReadableStream(flowFrom(source()));
    await turn();
    expect(pulled).toBe(0);
    const reader = stream.getReader();
    expect(await reader.read()).toEqual({ done: false, value: 0 });
    await turn();
    expect(pulled).toBeLessThanOrEqual(3);
    await reader.cancel();
  });

  it('unsubscribes when cancelled, also while a read waits', async () => {
    const unsubscribed = vi.fn();
    const reader = toReadableStream(new Observable<never>(() => unsubscribed)).getReader();
    const read = reader.read();
    await turn();
    await reader.cancel();
    expect(await read).toMatchObject({ done: true });
    expect(unsubscribed).toHaveBeenCalledOnce();
  });

  it('fails with its source, after what came before', async () => {
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
  it('writes, and closes once FIN is out', async () => {
    const { socket, peer } = await pair();
    const received = receive(peer);
    await ReadableStream.from(['one ', Buffer.from('two')]).pipeTo(toWritableStream(socket));
    expect(socket.readyState).toBe('readOnly');
    const { bytes, end } = await received;
    expect([String(bytes), end]).toEqual(['one two', 'end']);
  });

  it('makes its writer wait for the peer', async () => {
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

  it("is whole after the peer's FIN, whatever allowHalfOpen says", async () => {
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

  it('resets when aborted', async () => {
    const { socket, peer } = await pair();
    const writer = toWritableStream(socket).getWriter();
    await writer.write('a part');
    await writer.abort('enough');
    expect((await receive(peer)).end).toBe('ECONNRESET');
  });

  it('fails with the socket, also when nobody writes', async () => {
    const { socket, peer } = await pair();
    const writer = toWritableStream(socket).getWriter();
    peer.resetAndDestroy();
    await expect(writer.closed).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(writer.write('x')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('fails to close where FIN does not come out', async () => {
    const { socket, peer } = await pair();
    const writer = toWritableStream(socket).getWriter();
    writer.write(Buffer.alloc(20_000_000)).catch(() => {});
    const closing = writer.close();
    await vi.waitUntil(() => socket.writableLength > 0);
    peer.resetAndDestroy();
    await expect(closing).rejects.toMatchObject({ name: 'ResetError' });
  });
});
