// A reset is never told as an end, and a close of ours that discards bytes is never told to the peer as one. The peers are
// not Node, which on some versions reports data followed by a reset as a clean end.
import { connections, data, listen, on, type Socket, type SocketEvent, through, writeTo } from '@rxsock/core';
import { concat, firstValueFrom, mergeMap, NEVER, of, throwError, timer } from 'rxjs';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Peer, startPeer } from '../../../../tests/support/peers/index.js';
import { dial, opened } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { nodeInternals } from '../../src/engine/node-internals.js';

afterEach(() => {
  nodeInternals.reads = true;
  nodeInternals.writes = true;
});

function peer(...args: Parameters<typeof startPeer>): Peer {
  const started = startPeer(...args);
  onTestFinished(() => started.kill());
  return started;
}

/** Accepts `count` connections from the peer and tells how each ended, with the bytes that came. */
async function accept(how: 'fin' | 'rst' | 'finrst', bytes: number, count: number, held: boolean, ourFin = false) {
  const server = listen({ allowHalfOpen: true });
  const outcomes: string[] = [];
  server.pipe(connections()).subscribe((socket: Socket) => {
    let total = 0;
    let ended = false;
    if (ourFin) socket.complete();
    const release = held ? socket.hold('test') : () => {};
    if (held) setTimeout(release, 20);
    const next = (event: SocketEvent) => {
      if (event.type === 'data') total += event.data.length;
      if (event.type === 'end') {
        ended = true;
        socket.complete();
      }
    };
    const outcome = (code: string) =>
      outcomes.push(`${total === bytes ? 'all' : 'part'}${ended ? ' end' : ''} ${code}`);
    socket.subscribe({ next, error: ({ code }) => outcome(code), complete: () => outcome('complete') });
  });
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  onTestFinished(() => server.close({ drain: 0 }));
  expect(await peer('send.pl', address.port, bytes, how, count).exited).toBe(0);
  await expect.poll(() => outcomes).toHaveLength(count);
  return [...new Set(outcomes)].sort();
}

const COUNT = 25;

describe.each([
  ['flowing', false],
  ['held', true],
])('%s', (_name, held) => {
  test.each([100, 200_000])('%d bytes and a FIN: all of them, and an end', async (bytes) => {
    expect(await accept('fin', bytes, COUNT, held)).toEqual(['all end complete']);
  });

  test.each([100, 200_000])('%d bytes and a reset: never an end', async (bytes) => {
    const outcomes = await accept('rst', bytes, COUNT, held);
    for (const outcome of outcomes) expect(outcome).toMatch(/^(all|part) ECONNRESET$/);
  });

  test('a reset after our own FIN: never an end', async () => {
    const outcomes = await accept('rst', 100, COUNT, held, true);
    for (const outcome of outcomes) expect(outcome).toMatch(/^(all|part) ECONNRESET$/);
  });

  test('a FIN and then a reset: never an end with less than all', async () => {
    const outcomes = await accept('finrst', 200_000, COUNT, held);
    for (const outcome of outcomes) expect(outcome).toMatch(/^(all end \w+|all ECONNRESET|part ECONNRESET)$/);
  });
});

describe('without the internals', () => {
  test('a FIN is an end, with all bytes before it', async () => {
    nodeInternals.reads = false;
    nodeInternals.writes = false;
    expect(await accept('fin', 200_000, COUNT, false)).toEqual(['all end complete']);
    expect(await accept('fin', 200_000, COUNT, true)).toEqual(['all end complete']);
  });

  test('a reset is told once, and ends every connection', async () => {
    nodeInternals.reads = false;
    nodeInternals.writes = false;
    for (const outcome of await accept('rst', 200_000, COUNT, true)) expect(outcome).toMatch(/ECONNRESET$|complete$/);
  });
});

describe('a close that discards bytes: the peer sees a reset', () => {
  const MEGABYTE = Buffer.alloc(1_000_000);
  const cuts: [string, (socket: Socket) => unknown, object?][] = [
    ['error()', (socket) => socket.error(new Error('enough'))],
    [
      'error() after complete()',
      (socket) => {
        socket.complete();
        socket.error(new Error('enough'));
      },
    ],
    ['close() that times out', (socket) => socket.close({ timeout: 20 })],
    ['lingerTimeout after leaving', (socket) => record(socket).subscription.unsubscribe(), { lingerTimeout: 20 }],
    ['idleTimeout', (socket) => record(socket), { idleTimeout: 20 }],
    [
      'holdTimeout',
      (socket) => {
        record(socket);
        socket.hold();
      },
      { holdTimeout: 20 },
    ],
    ['an overflow', (socket) => socket.next('x'), { maxWriteBuffer: 20_000_000 }],
    ['a transfer that fails', (socket) => record(throwing.pipe(writeTo(socket)))],
    ['a transfer that is left', (socket) => record(NEVER.pipe(writeTo(socket))).subscription.unsubscribe()],
    ['a request that is left', (socket) => record(NEVER.pipe(through(socket))).subscription.unsubscribe()],
  ];
  const broken = throwError(() => new Error('the source broke'));
  const throwing = concat(of('x'), timer(5).pipe(mergeMap(() => broken)));

  test.each(cuts)('%s', async (_name, cut, options = {}) => {
    for (const both of [true, false]) {
      nodeInternals.reads = both;
      nodeInternals.writes = both;
      const sink = peer('sink.pl');
      const socket = dial({ port: Number(await sink.line()), keepOpen: !('lingerTimeout' in options), ...options });
      await opened(socket);
      for (let i = 0; i < 30; i++) socket.next(MEGABYTE);
      cut(socket);
      await expect.poll(() => socket.readyState).toBe('closed');
      sink.go();
      const [, bytes, end] = /^(\d+) (.*)$/.exec(await sink.line()) ?? [];
      expect(end).toBe('reset');
      expect(Number(bytes)).toBeLessThan(30_000_000);
    }
  });

  test('with nothing pending and our FIN out, it stays a FIN', async () => {
    const sink = peer('sink.pl');
    const socket = dial({ port: Number(await sink.line()), lingerTimeout: 20 });
    socket.next('whole');
    record(socket).subscription.unsubscribe();
    await expect.poll(() => socket.readyState).toBe('closed');
    sink.go();
    expect(await sink.line()).toBe('5 eof');
  });
});

test('a transfer cut by its signal resets what a FIN would pass off as whole', async () => {
  const sink = peer('sink.pl');
  const abort = new AbortController();
  const socket = dial({ port: Number(await sink.line()), signal: abort.signal });
  const bytes = record(concat(of('half'), NEVER).pipe(through(socket)));
  await expect.poll(() => socket.bytesWritten).toBe(4);
  abort.abort();
  expect((await bytes.ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
  sink.go();
  expect(await sink.line()).toMatch(/reset$/);
});

test('data() of a reset connection fails', async () => {
  const server = listen();
  const first = firstValueFrom(server.pipe(connections()));
  onTestFinished(() => server.close({ drain: 0 }));
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  peer('send.pl', address.port, 100, 'rst');
  const bytes = record((await first).pipe(data()));
  expect((await bytes.ended).error).toMatchObject({ code: 'ECONNRESET' });
});
