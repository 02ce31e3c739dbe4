// A reset is never reported as an end, and a close that discards bytes never reaches the peer as one. The peers are not
// Node programs, because some Node versions report data followed by a reset as a clean end.
import { connections, data, listen, on, type Socket, type SocketEvent, through, writeTo } from '@rxsock/core';
import { concat, firstValueFrom, mergeMap, NEVER, of, throwError, timer } from 'rxjs';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { setNodeInternals } from '../../../../tests/support/node-internals.js';
import { type Peer, startPeer } from '../../../../tests/support/peers/index.js';
import { accepted, dial, drainRaw, opened } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

afterEach(() => {
  setNodeInternals({ reads: true, writes: true });
});

function peer(...args: Parameters<typeof startPeer>): Peer {
  const started = startPeer(...args);
  onTestFinished(() => started.kill());
  return started;
}

/** Accepts `count` connections from the peer. Returns how each ended, with the bytes that arrived. */
async function accept(ending: 'fin' | 'rst' | 'finrst', bytes: number, count: number, held: boolean, ourFin = false) {
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
  expect(await peer('send.pl', address.port, bytes, ending, count).exited).toBe(0);
  await expect.poll(() => outcomes).toHaveLength(count);
  return [...new Set(outcomes)].sort();
}

const COUNT = 25;

describe.each([
  ['flowing', false],
  ['held', true],
])('%s', (_name, held) => {
  test.each([100, 200_000])('reports all of %d bytes and a FIN as an end', async (bytes) => {
    expect(await accept('fin', bytes, COUNT, held)).toEqual(['all end complete']);
  });

  test.each([100, 200_000])('never reports %d bytes and a reset as an end', async (bytes) => {
    const outcomes = await accept('rst', bytes, COUNT, held);
    for (const outcome of outcomes) expect(outcome).toMatch(/^(all|part) ECONNRESET$/);
  });

  test('never reports a reset after our own FIN as an end', async () => {
    const outcomes = await accept('rst', 100, COUNT, held, true);
    for (const outcome of outcomes) expect(outcome).toMatch(/^(all|part) ECONNRESET$/);
  });

  test('never reports a FIN and then a reset as an end with missing bytes', async () => {
    const outcomes = await accept('finrst', 200_000, COUNT, held);
    for (const outcome of outcomes) expect(outcome).toMatch(/^(all end \w+|all ECONNRESET|part ECONNRESET)$/);
  });
});

describe("without Node's internals", () => {
  test('a FIN is an end, with all bytes before it', async () => {
    setNodeInternals({ reads: false, writes: false });
    expect(await accept('fin', 200_000, COUNT, false)).toEqual(['all end complete']);
    expect(await accept('fin', 200_000, COUNT, true)).toEqual(['all end complete']);
  });

  test('a reset is reported once, and ends every connection', async () => {
    setNodeInternals({ reads: false, writes: false });
    for (const outcome of await accept('rst', 200_000, COUNT, true)) expect(outcome).toMatch(/ECONNRESET$|complete$/);
  });
});

describe('a close that discards bytes is a reset for the peer', () => {
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
    [
      'lingerTimeout after the last subscriber has left',
      (socket) => record(socket).subscription.unsubscribe(),
      { lingerTimeout: 20 },
    ],
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
    ['an unsubscribed transfer', (socket) => record(NEVER.pipe(writeTo(socket))).subscription.unsubscribe()],
    ['an unsubscribed request', (socket) => record(NEVER.pipe(through(socket))).subscription.unsubscribe()],
  ];
  const broken = throwError(() => new Error('the source broke'));
  const throwing = concat(of('x'), timer(5).pipe(mergeMap(() => broken)));

  test.each(cuts)('%s', async (_name, cut, options = {}) => {
    for (const both of [true, false]) {
      setNodeInternals({ reads: both, writes: both });
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

  test('a close with nothing pending after our FIN stays a FIN', async () => {
    const sink = peer('sink.pl');
    const socket = dial({ port: Number(await sink.line()), lingerTimeout: 20 });
    socket.next('whole');
    record(socket).subscription.unsubscribe();
    await expect.poll(() => socket.readyState).toBe('closed');
    sink.go();
    expect(await sink.line()).toBe('5 eof');
  });
});

test('a transfer cut by its signal resets a connection whose FIN would mean a whole transfer', async () => {
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

test('an abort after the peer’s FIN is a reset, although the writer leaves in the middle of it', async () => {
  const { socket, peer } = await accepted({ allowHalfOpen: true });
  const ended = firstValueFrom(socket.pipe(on('end')));
  NEVER.pipe(writeTo(socket)).subscribe({ error: () => {} });
  record(socket.pipe(data()));
  peer.end();
  await ended;
  socket.error('given up');
  expect((await drainRaw(peer)).end).toBe('ECONNRESET');
});
