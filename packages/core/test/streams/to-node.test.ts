// toReadable() and toDuplex() with Node's own stream functions.
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { PassThrough } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import { connect, data, fromDuplex, lines, toDuplex, toReadable } from '@rxsock/core';
import { concat, Observable, of, throwError } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { duplexPair } from '../../../../tests/support/duplex-pair.js';
import { closedPort, dial, pair } from '../../../../tests/support/raw-peers.js';
import { turns } from '../../../../tests/support/turns.js';
import { allOf } from '../support/all-of.js';
import { receive } from '../support/files.js';

describe('toReadable()', () => {
  test('yields the bytes, and ends with the peer', async () => {
    const { socket, peer } = await pair();
    const readable = toReadable(socket.pipe(data()));
    peer.end(Buffer.alloc(3_000_000, 'x'));
    expect((await buffer(readable)).equals(Buffer.alloc(3_000_000, 'x'))).toBe(true);
  });

  test('holds the socket while nobody reads', async () => {
    const { socket, peer } = await pair();
    const readable = toReadable(socket.pipe(data()));
    readable.read(0);
    peer.end(Buffer.alloc(20_000_000));
    await vi.waitUntil(() => socket.holds.length > 0 && peer.writableLength > 0);
    const { bytesRead } = socket;
    expect(bytesRead).toBeLessThanOrEqual(6 * 65_536);
    await turns(1);
    expect(socket.bytesRead).toBe(bytesRead);
    expect((await buffer(readable)).length).toBe(20_000_000);
  });

  test('yields values in object mode', async () => {
    const { socket, peer } = await pair();
    peer.end('one\ntwo\n');
    expect(await toReadable(socket.pipe(data(), lines()), { objectMode: true }).toArray()).toEqual(['one', 'two']);
  });

  test('fails with its source, after the data before the error', async () => {
    const readable = toReadable(
      concat(
        of('x'),
        throwError(() => new Error('broken')),
      ),
    );
    const chunks: string[] = [];
    const reading = (async () => {
      for await (const chunk of readable) chunks.push(String(chunk));
    })();
    await expect(reading).rejects.toThrow('broken');
    expect(chunks).toEqual(['x']);
  });

  test('unsubscribes when destroyed, also while it waits, and never subscribes if destroyed before', async () => {
    const subscribed = vi.fn();
    const unsubscribed = vi.fn();
    const source = new Observable<string>(() => {
      subscribed();
      return unsubscribed;
    });
    const readable = toReadable(source);
    readable.resume();
    await vi.waitUntil(() => subscribed.mock.calls.length === 1);
    readable.destroy();
    await vi.waitUntil(() => unsubscribed.mock.calls.length === 1);
    toReadable(source).destroy();
    await turns(1);
    expect(subscribed).toHaveBeenCalledOnce();
  });

  test('makes pipeline() fail if the source fails', async () => {
    const { socket, peer } = await pair();
    const piping = pipeline(toReadable(socket.pipe(data())), new PassThrough().resume());
    peer.write('x', () => peer.resetAndDestroy());
    await expect(piping).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('toDuplex()', () => {
  test('half-closes in both directions', async () => {
    const { socket, peer } = await pair();
    const duplex = toDuplex(socket);
    duplex.end('question');
    const question = receive(peer);
    expect((await question).bytes.toString()).toBe('question');
    peer.end('answer');
    expect(await allOf(duplex)).toBe('answer');
    await finished(duplex);
    await vi.waitUntil(() => socket.readyState === 'closed');
  });

  test("answers after the peer's FIN with allowHalfOpen", async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    const duplex = toDuplex(socket);
    peer.end('question');
    expect(await allOf(duplex)).toBe('question');
    await turns(1);
    duplex.end('answer');
    expect((await receive(peer)).bytes.toString()).toBe('answer');
  });

  test("without allowHalfOpen ends after the peer's FIN, when everything queued in it has been sent", async () => {
    const { socket, peer } = await pair({ allowHalfOpen: false, highWaterMark: 65_536 });
    const duplex = toDuplex(socket);
    // More than the kernel takes, so that some of it waits in the stream.
    duplex.write(Buffer.alloc(9_000_000));
    for (let count = 0; count < 10; count++) duplex.write(Buffer.alloc(100_000));
    peer.end('over');
    expect(await allOf(duplex)).toBe('over');
    const { bytes, end } = await receive(peer);
    expect([bytes.length, end]).toEqual([10_000_000, 'end']);
  });

  test('carries data through a pipeline in both directions', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    const sent = Buffer.alloc(5_000_000, 'abc');
    peer.pipe(peer);
    const source = new PassThrough();
    source.end(sent);
    const duplex = toDuplex(socket);
    const [received] = await Promise.all([allOf(duplex), pipeline(source, duplex)]);
    expect(received).toBe(String(sent));
  });

  test('makes its writer wait for the peer, and its peer for the reader', async () => {
    const { socket, peer } = await pair();
    const duplex = toDuplex(socket);
    duplex.read(0);
    peer.write(Buffer.alloc(20_000_000));
    await vi.waitUntil(() => peer.writableLength > 0 && socket.holds.length > 0);
    expect(socket.holds).toEqual(['toDuplex']);
    expect(socket.bytesRead).toBeLessThanOrEqual(4 * 65_536);
    let written = 0;
    while (duplex.write(Buffer.alloc(65_536)) || written === 0) {
      written++;
      await turns(1);
    }
    expect(duplex.writableLength).toBeLessThanOrEqual(2 * 65_536);
    const drained = once(duplex, 'drain');
    peer.resume();
    await drained;
    duplex.destroy();
  });

  test('holds the socket when many small chunks wait, and still collects as many bytes as its reader asks for', async () => {
    const [far, near] = duplexPair();
    const socket = fromDuplex(near);
    const stream = toDuplex(socket);
    for (let i = 0; i < 5000; i++) far.write('x');
    await expect.poll(() => socket.holds).toEqual(['toDuplex']);
    expect(stream.readableLength).toBeLessThanOrEqual(513);
    let bytes: Buffer | null = stream.read(4000);
    for (; bytes === null; bytes = stream.read(4000)) await once(stream, 'readable');
    expect(bytes).toHaveLength(4000);
    stream.destroy();
  });

  test('aborts the connection when destroyed with an error before both ends', async () => {
    const { socket, peer } = await pair();
    const duplex = toDuplex(socket).on('error', () => {});
    duplex.write('a part');
    await once(
      peer.once('readable', () => {}),
      'readable',
    );
    peer.read();
    duplex.destroy(new Error('enough'));
    expect((await receive(peer)).end).toBe('ECONNRESET');
    await vi.waitUntil(() => socket.readyState === 'closed');
  });

  test('fails with the socket', async () => {
    const { socket, peer } = await pair();
    const duplex = toDuplex(socket);
    const failure = once(duplex, 'error');
    peer.resetAndDestroy();
    expect(await failure).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(duplex.destroyed).toBe(true);
  });

  test('fails if the connection cannot be opened', async () => {
    const duplex = toDuplex(dial({ port: await closedPort() }));
    expect(await once(duplex, 'error')).toMatchObject([{ name: 'ConnectError', code: 'ECONNREFUSED' }]);
  });

  test.each(['data', 'async iterator'])(
    'delivers everything that the peer sent before a write failed, by %s',
    async (way) => {
      const { socket, peer } = await pair({ allowHalfOpen: true });
      const duplex = toDuplex(socket);
      let answer = 0;
      const take = (chunk: Buffer) => {
        answer += chunk.length;
      };
      const iterator = duplex.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
      if (way === 'data') duplex.on('data', take).pause();
      else take((await Promise.all([iterator.next(), peer.write('x')]))[0].value);
      peer.end(Buffer.alloc(150_000));
      await once(peer, 'finish');
      await vi.waitUntil(() => socket.holds.length > 0);
      peer.destroy();
      await new Promise((resolve) => peer.once('close', resolve));
      // The peer answers with a reset, after which the next write fails.
      const written = vi.fn();
      duplex.write('more');
      await vi.waitUntil(() =>
        socket.write('and more').then(
          () => false,
          () => true,
        ),
      );
      duplex.write('and more', written);
      await turns(1);
      expect(duplex.destroyed).toBe(false);
      const failure = new Promise((resolve) => duplex.once('error', resolve));
      if (way === 'data') duplex.resume();
      else {
        for await (const chunk of iterator) {
          take(chunk);
          await turns(1);
        }
      }
      expect(await failure).toMatchObject({ name: 'ResetError' });
      expect(answer).toBe(way === 'data' ? 150_000 : 150_001);
      expect(written).toHaveBeenCalledExactlyOnceWith(expect.any(Error));
    },
  );

  test('over a socket that both sides have ended, delivers the bytes that wait, also to a late listener', async () => {
    const { socket, peer } = await pair();
    peer.end('waits');
    socket.complete();
    await vi.waitUntil(() => socket.readyState === 'closed');
    const duplex = toDuplex(socket);
    const events: string[] = [];
    for (const name of ['end', 'finish', 'error', 'close']) duplex.on(name, () => events.push(name));
    await turns(2);
    duplex.on('data', (chunk: Buffer) => events.push(String(chunk)));
    await once(duplex, 'close');
    expect(events).toEqual(['waits', 'end', 'finish', 'close']);
  });

  test('delivers to a slow reader what it read before a reset', async () => {
    const { socket, peer } = await pair();
    const duplex = toDuplex(socket);
    let received = 0;
    duplex
      .on('data', (chunk: Buffer) => {
        received += chunk.length;
      })
      .pause();
    peer.write(Buffer.alloc(50_000));
    await vi.waitUntil(() => duplex.readableLength === 50_000);
    peer.resetAndDestroy();
    await vi.waitUntil(() => socket.readyState === 'closed');
    await turns(1);
    expect(duplex.destroyed).toBe(false);
    const failure = once(duplex, 'error');
    duplex.resume();
    expect(await failure).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(received).toBe(50_000);
  });

  test('reports a failed write to a caller that only writes, even if the peer sent something before', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    const duplex = toDuplex(socket);
    peer.write('nobody reads this');
    await vi.waitUntil(() => socket.bytesRead > 0);
    const failure = once(duplex, 'error');
    duplex.write(Buffer.alloc(20_000_000));
    await vi.waitUntil(() => socket.writableLength > 0);
    peer.resetAndDestroy();
    expect(await failure).toMatchObject([{ name: 'ResetError' }]);
  });

  test('can be the connection of http.request()', async () => {
    const server = http.createServer((request, response) => request.pipe(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as net.AddressInfo;
    const createConnection = () => toDuplex(connect({ port, host: '127.0.0.1' }));
    const request = http.request({ createConnection, method: 'POST' });
    request.end('hello');
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect(await text(response)).toBe('hello');
  });

  test('leaves nothing subscribed', async () => {
    const { socket, peer } = await pair();
    toDuplex(socket).destroy();
    peer.resume().end();
    await vi.waitUntil(() => socket.readyState === 'closed');
    expect(socket.holds).toEqual([]);
  });
});
