// The rules of Reactive Streams for a source, with a hold in place of missing demand, over a socket and what is made of
// it. Section 1 is about the source, section 3 about the subscription.
import type net from 'node:net';
import {
  data,
  type Flowable,
  framed,
  lines,
  linesCodec,
  mapWithBackpressure,
  type Release,
  type Socket,
  through,
  toAsyncIterable,
  toReadable,
} from '@rxsock/core';
import { config, filter, from, map, NEVER, type Observable, type Subscription, share } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { garbageCollected } from '../support/garbage.js';
import { pair } from '../support/raw-peers.js';
import { turns } from '../support/turns.js';

/** Sources of text made of a socket. Each is held as a Flowable. */
const sources: Record<string, (socket: Socket) => Observable<string>> = {
  'a socket': (socket) =>
    socket.pipe(
      filter((event) => event.type === 'data'),
      map(({ data }) => `${data}`),
    ),
  'data()': (socket) => socket.pipe(data(), map(String)),
  'lines()': (socket) => socket.pipe(data(), lines()),
  'framed()': (socket) => framed(socket, linesCodec()),
  'mapWithBackpressure()': (socket) =>
    socket.pipe(
      data(),
      lines(),
      mapWithBackpressure(async (line) => line),
    ),
  'through()': (socket) => NEVER.pipe(through(socket), map(String)),
};

interface Heard {
  readonly text: string[];
  readonly end: string[];
  readonly subscription: Subscription;
}

function listen(source: Observable<string>, onNext: () => void = () => {}): Heard {
  const text: string[] = [];
  const end: string[] = [];
  const subscription = source.subscribe({
    next: (value) => {
      text.push(value.trim());
      onNext();
    },
    error: (error) => end.push(error.name),
    complete: () => end.push('complete'),
  });
  return { text, end, subscription };
}

const all = ({ text }: Heard) => text.join('\n').split('\n').filter(Boolean);

describe.each(Object.entries(sources))('%s', (name, make) => {
  async function start(options = {}): Promise<{ socket: Socket; peer: net.Socket; source: Flowable<string> }> {
    const { socket, peer } = await pair({ allowHalfOpen: true, ...options });
    onTestFinished(() => socket.error());
    return { socket, peer, source: make(socket) as Flowable<string> };
  }

  test('1.1: nothing is emitted while it is held, and everything after the release', async () => {
    const { peer, source } = await start();
    const heard = listen(source);
    const release = source.hold('test');
    peer.write('one\ntwo\n');
    await turns();
    expect(heard.text).toEqual([]);
    release();
    await expect.poll(() => all(heard)).toEqual(['one', 'two']);
  });

  test('1.2: it may end without a value, whoever wants one', async () => {
    const { socket, peer, source } = await start();
    const heard = listen(source);
    socket.complete();
    peer.end();
    await expect.poll(() => heard.end).toEqual(['complete']);
    expect(heard.text).toEqual([]);
  });

  test('1.3: notifications never overlap, whatever a handler calls', async () => {
    const { socket, peer, source } = await start();
    let depth = 0;
    let deepest = 0;
    const heard = listen(source, () => {
      deepest = Math.max(deepest, ++depth);
      source.hold('test')();
      socket.next('from inside');
      socket.hold('test')();
      depth--;
    });
    for (let count = 0; count < 20; count++) peer.write('line\n'.repeat(50));
    await expect.poll(() => all(heard).length).toBe(1000);
    expect(deepest).toBe(1);
  });

  test('1.4: a failure is an error, after the values before it', async () => {
    const { peer, source } = await start();
    const heard = listen(source);
    peer.write('one\n');
    await expect.poll(() => heard.text).toEqual(['one']);
    peer.resetAndDestroy();
    await expect.poll(() => heard.end).toEqual(['ResetError']);
  });

  test('1.5: an end is a completion, after the values before it', async () => {
    const { socket, peer, source } = await start();
    const heard = listen(source);
    socket.complete();
    peer.end('one\ntwo\n');
    await expect.poll(() => heard.end).toEqual(['complete']);
    expect(all(heard)).toEqual(['one', 'two']);
  });

  test.each(['FIN', 'reset'])('1.6: after a %s the subscription is over, and nothing is held', async (how) => {
    const { socket, peer, source } = await start();
    const heard = listen(source);
    if (how === 'FIN') {
      socket.complete();
      peer.end();
    } else peer.resetAndDestroy();
    await expect.poll(() => heard.end).toHaveLength(1);
    expect(heard.subscription.closed).toBe(true);
    expect(socket.holds).toEqual([]);
  });

  test.each(['FIN', 'reset'])('1.7: after a %s nothing follows, whatever is called', async (how) => {
    const { socket, peer, source } = await start();
    const heard = listen(source);
    const release = source.hold('test');
    peer.write('one\n');
    if (how === 'FIN') {
      socket.complete();
      peer.end();
    } else setImmediate(() => peer.resetAndDestroy());
    await turns();
    release();
    await expect.poll(() => heard.end).toHaveLength(1);
    const text = [...heard.text];
    source.hold('test')();
    socket.unshift(Buffer.from('late\n'));
    socket.error('late');
    heard.subscription.unsubscribe();
    await turns();
    expect([heard.text, heard.end]).toEqual([text, [how === 'FIN' ? 'complete' : 'ResetError']]);
  });

  test('1.8, 3.12: after unsubscribe(), also from inside a value, nothing follows', async () => {
    const { peer, source } = await start();
    const heard: Heard = listen(source, () => heard.subscription.unsubscribe());
    peer.write('one\ntwo\n');
    await expect.poll(() => heard.text).toHaveLength(1);
    peer.write('three\n');
    peer.end();
    await turns();
    expect([heard.text.length, heard.end]).toEqual([1, []]);
  });

  test('1.11: several subscribers are served alike', async () => {
    const { peer, source } = await start();
    // A socket is written by one through() at a time.
    const shared = name === 'through()' ? source.pipe(share()) : source;
    const heard = [listen(shared), listen(shared), listen(shared)];
    peer.write('one\ntwo\n');
    for (const each of heard) await expect.poll(() => all(each)).toEqual(['one', 'two']);
  });

  test('3.2: a handler may hold and release', async () => {
    const { peer, source } = await start();
    const releases: Release[] = [];
    const heard = listen(source, () => releases.push(source.hold('test')));
    for (const line of ['one\n', 'two\n', 'three\n']) {
      const before = releases.length;
      peer.write(line);
      await expect.poll(() => releases.length).toBe(before + 1);
      releases.at(-1)?.();
    }
    await expect.poll(() => all(heard)).toEqual(['one', 'two', 'three']);
  });

  test('3.3: holding and releasing at every value does not recurse', async () => {
    const { peer, source } = await start();
    let deepest = 0;
    let count = 0;
    const heard = listen(source, () => {
      source.hold('test')();
      // A stack that grows is deepest at the end. To look at it takes long.
      if (++count % 1000 === 0) deepest = Math.max(deepest, new Error().stack?.split('\n').length ?? 0);
    });
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 1000;
    onTestFinished(() => {
      Error.stackTraceLimit = limit;
    });
    peer.write('x\n'.repeat(5000));
    await expect.poll(() => all(heard).length).toBe(5000);
    expect(deepest).toBeLessThan(200);
  });

  test('3.5, 3.7, 3.15: unsubscribe() may be called again, and returns normally', async () => {
    const { source } = await start();
    const { subscription, end } = listen(source);
    for (let count = 0; count < 3; count++) expect(subscription.unsubscribe()).toBeUndefined();
    await turns(5);
    expect(end).toEqual([]);
  });

  test('3.6: a release after unsubscribe() does nothing', async () => {
    const { socket, peer, source } = await start();
    const heard = listen(source);
    const release = source.hold('test');
    peer.write('one\n');
    await turns();
    heard.subscription.unsubscribe();
    release();
    release();
    await turns();
    expect([heard.text, heard.end]).toEqual([[], []]);
    expect(socket.holds).not.toContain('test');
  });

  test('3.8: holds are counted', async () => {
    const { peer, source } = await start();
    const heard = listen(source);
    const releases = [source.hold('one'), source.hold('two'), source.hold('three')];
    peer.write('text\n');
    for (const release of releases) {
      await turns(20);
      expect(heard.text).toEqual([]);
      release();
    }
    await expect.poll(() => heard.text).toEqual(['text']);
  });

  test('3.13: nothing of a subscriber that has left is kept', async () => {
    const { socket, peer, source } = await start();
    const leave = () => {
      const seen: unknown[] = [];
      source.subscribe({ next: (value) => seen.push(value), error: () => {} }).unsubscribe();
      return new WeakRef(seen);
    };
    const stays = socket.subscribe({ error: () => {} });
    onTestFinished(() => stays.unsubscribe());
    peer.write('one\n');
    expect(await garbageCollected(leave())).toBe(true);
  });

  test('3.16: a release returns normally, also if a handler throws', async () => {
    const { socket, peer, source } = await start();
    const others = listen(socket.pipe(data(), map(String)));
    const thrown: unknown[] = [];
    config.onUnhandledError = (error) => thrown.push(error);
    onTestFinished(() => {
      config.onUnhandledError = null;
    });
    listen(source, () => {
      throw new Error('a bug of the handler');
    });
    const release = source.hold('test');
    peer.write('one\n');
    await turns();
    expect(release()).toBeUndefined();
    await expect.poll(() => others.text).toEqual(['one']);
    await expect.poll(() => thrown.map(String)).toContain('Error: a bug of the handler');
  });
});

/** Consumers that pull, as the rules of demand see them: they take no more than what is asked for. */
describe('a consumer that pulls', () => {
  test('1.1, 3.8: toAsyncIterable() gives a value for each pull, and takes no more', async () => {
    const { socket, peer } = await pair();
    peer.write('one\ntwo\nthree\n');
    const pulls = toAsyncIterable(socket.pipe(data(), lines()), { highWaterMark: 0 })[Symbol.asyncIterator]();
    expect(await pulls.next()).toEqual({ done: false, value: 'one' });
    await turns();
    expect(socket.holds).toHaveLength(1);
    expect(await Promise.all([pulls.next(), pulls.next()])).toMatchObject([{ value: 'two' }, { value: 'three' }]);
    await pulls.return?.();
    expect(socket.holds).toEqual([]);
  });

  test('1.1, 1.8: toReadable() holds while nobody reads, and leaves when it is destroyed', async () => {
    const { socket, peer } = await pair({ highWaterMark: 1024 });
    const readable = toReadable(socket.pipe(data()));
    readable.read(0);
    peer.write(Buffer.alloc(5_000_000));
    await expect.poll(() => socket.holds).toHaveLength(1);
    await turns();
    expect(socket.bytesRead).toBeLessThan(200_000);
    readable.destroy();
    await expect.poll(() => socket.holds).toEqual([]);
  });

  test('1.5: toReadable() ends with its source', async () => {
    const { socket, peer } = await pair();
    peer.end('one');
    const chunks = await from(toReadable(socket.pipe(data())))
      .pipe(map(String))
      .toPromise();
    expect(chunks).toBe('one');
  });
});
