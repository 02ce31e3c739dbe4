// The rules of Reactive Streams for a subscriber (section 2), over what writes to a socket: writeTo(), through(), and
// the socket itself as an Observer.
import { type Chunk, Flowable, type Release, type Socket, through, writeTo } from '@rxsock/core';
import { EMPTY, type Observable, of, type Subscriber, throwError } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { MORE_THAN_KERNEL_BUFFERS } from '../compliance/support/bytes.js';
import { drainRaw, pair } from '../support/raw-peers.js';
import { record } from '../support/record.js';
import { turns } from '../support/turns.js';

/** A source that logs what its consumer calls, and emits when the test says so, held or not. */
function logged() {
  const log: string[] = [];
  const holds: string[] = [];
  let target: Subscriber<Chunk> | undefined;
  const hold = (reason = 'hold'): Release => {
    log.push('hold');
    holds.push(reason);
    const release = () => {
      log.push('release');
      holds.pop();
    };
    return Object.assign(release, { [Symbol.dispose]: release });
  };
  const source = new Flowable<Chunk>(
    (subscriber) => {
      log.push('subscribe');
      target = subscriber;
      return () => log.push('unsubscribe');
    },
    { hold, holds },
  );
  return { source, log, emit: () => target as Subscriber<Chunk> };
}

const writers: Record<string, (socket: Socket) => (source: Observable<Chunk>) => Observable<unknown>> = {
  'writeTo()': (socket) => writeTo(socket),
  'through()': (socket) => through(socket),
};

describe.each(Object.entries(writers))('%s', (_name, make) => {
  async function start() {
    const both = await pair({ allowHalfOpen: true, highWaterMark: 1000 });
    const { source, log, emit } = logged();
    const written = record(source.pipe(make(both.socket)));
    return { ...both, source, log, emit, written };
  }

  test('2.3: a completion calls nothing of the source', async () => {
    const { log, emit, peer } = await start();
    emit().next('all');
    log.length = 0;
    emit().complete();
    // RxJS itself runs the teardown of a source that has completed.
    expect(log).toEqual(['unsubscribe']);
    expect(`${(await drainRaw(peer)).bytes}`).toBe('all');
  });

  test.each(['complete', 'error'] as const)('2.4: after %s() the source is neither held nor released', async (end) => {
    const { log, emit, source, peer } = await start();
    emit().next(Buffer.alloc(MORE_THAN_KERNEL_BUFFERS));
    expect(log).toContain('hold');
    emit()[end](new Error('broken'));
    log.length = 0;
    peer.resume();
    await turns();
    expect([log, source.holds]).toEqual([[], []]);
  });

  test('2.6: a socket that fails unsubscribes its source', async () => {
    const { log, peer, written } = await start();
    peer.resetAndDestroy();
    await written.ended;
    expect(log.at(-1)).toBe('unsubscribe');
  });

  test('2.7: holds and releases take turns', async () => {
    const { log, emit, peer } = await start();
    peer.resume();
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 3; count++) emit().next(Buffer.alloc(MORE_THAN_KERNEL_BUFFERS / 4));
      await expect.poll(() => log.at(-1)).toBe('release');
    }
    const calls = log.slice(1);
    expect(calls.length).toBeGreaterThanOrEqual(6);
    expect(calls).toEqual(calls.map((_, index) => (index % 2 === 0 ? 'hold' : 'release')));
  });

  test('2.8: values that come although the source is held are written', async () => {
    const { log, emit, peer } = await start();
    emit().next(Buffer.alloc(MORE_THAN_KERNEL_BUFFERS));
    expect(log).toContain('hold');
    for (let count = 0; count < 10; count++) emit().next(`${count}`);
    emit().complete();
    const { bytes } = await drainRaw(peer);
    expect(bytes).toHaveLength(MORE_THAN_KERNEL_BUFFERS + 10);
    expect(`${bytes.subarray(-10)}`).toBe('0123456789');
  });

  test('2.9: a completion without a value is FIN', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    record(EMPTY.pipe(make(socket)));
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.alloc(0), end: 'end' });
  });

  test('2.10: an error without a value is a reset', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    record(throwError(() => new Error('broken')).pipe(make(socket)));
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.alloc(0), end: 'ECONNRESET' });
  });

  test('2.12: the source is subscribed once', async () => {
    const { log, emit, peer, written } = await start();
    emit().next('all');
    emit().complete();
    peer.resume();
    peer.end();
    await written.ended;
    expect(log.filter((call) => call === 'subscribe')).toHaveLength(1);
  });
});

describe('a socket as an Observer', () => {
  test('2.5: two sources may write to it, and the end of one is the end for both', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    const { source, emit } = logged();
    source.subscribe(socket);
    emit().next('one ');
    of('two').subscribe(socket);
    expect(() => emit().next('three')).not.toThrow();
    expect(`${(await drainRaw(peer)).bytes}`).toBe('one two');
  });

  const states: Record<string, (socket: Socket, peer: { resetAndDestroy(): unknown }) => unknown> = {
    open: () => {},
    completed: (socket) => socket.complete(),
    aborted: (socket) => socket.error(),
    closed: (socket) => socket.close({ timeout: 0 }),
    'reset by its peer': async (socket, peer) => {
      peer.resetAndDestroy();
      await record(socket).ended;
    },
    held: (socket) => socket.hold('test'),
  };

  test.each(Object.entries(states))('2.13: nothing throws when it is %s', async (_state, reach) => {
    // A process warning tells of bytes that are not sent.
    using _ = vi.spyOn(process, 'emitWarning').mockReturnValue();
    const { socket, peer } = await pair({ allowHalfOpen: true });
    await reach(socket, peer);
    expect(typeof socket.next('text')).toBe('boolean');
    expect(socket.complete()).toBeUndefined();
    expect(socket.next('text')).toBe(false);
    expect(socket.error('reason')).toBeUndefined();
    expect(socket.next('text')).toBe(false);
    expect(socket.complete()).toBeUndefined();
    expect(socket.error('reason')).toBeUndefined();
  });

  test('2.13: only a chunk that is neither bytes nor text throws, and harms nothing', async () => {
    const { socket, peer } = await pair({ allowHalfOpen: true });
    expect(() => socket.next(null as never)).toThrow(TypeError);
    socket.next('fine');
    socket.complete();
    expect(`${(await drainRaw(peer)).bytes}`).toBe('fine');
  });

  test('2.4: a hold that was taken before the end is released once, later, and without effect', async () => {
    const { socket } = await pair();
    const release: Release = socket.hold('test');
    socket.error();
    await record(socket).ended;
    release();
    release();
    expect(socket.readyState).toBe('closed');
  });
});
