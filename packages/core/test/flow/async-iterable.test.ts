// toAsyncIterable(): a source that delivers only when it is pulled.
import { toAsyncIterable } from '@rxsock/core';
import { NEVER, of, Subject, throwError } from 'rxjs';
import { concatWith } from 'rxjs/operators';
import { expect, test } from 'vitest';
import { byteSource, count, Eager, Probe } from './support.js';

const iterate = <T>(iterable: { [Symbol.asyncIterator](): AsyncIterableIterator<T> }) =>
  iterable[Symbol.asyncIterator]();

test('yields all values and ends', async () => {
  const values: number[] = [];
  for await (const value of toAsyncIterable(new Eager(count(100)).source)) values.push(value);
  expect(values).toEqual([...count(100)]);
});

test('subscribes at the first pull, with a new subscription for each loop', async () => {
  const probe = new Probe();
  const iterable = toAsyncIterable(probe.source);
  const first = iterate(iterable);
  const second = iterate(iterable);
  expect(probe.subscribed).toBe(0);
  const pulled = [first.next(), second.next()];
  expect(probe.subscribed).toBe(2);
  probe.next(7);
  expect(await Promise.all(pulled)).toEqual([
    { done: false, value: 7 },
    { done: false, value: 7 },
  ]);
  await first.return?.();
  await second.return?.();
  expect(probe.live).toEqual([]);
});

test.each([0, 1, 4])(
  'with highWaterMark %i no more values are queued, however fast the source is',
  async (highWaterMark) => {
    const source = new Eager(count());
    const iterator = iterate(toAsyncIterable(source.source, { highWaterMark }));
    for (let pulled = 1; pulled <= 20; pulled++) {
      expect(await iterator.next()).toEqual({ done: false, value: pulled - 1 });
      expect(source.emitted).toBe(pulled + Math.max(highWaterMark, source.emitted - pulled > 0 ? 1 : 0));
    }
    await iterator.return?.();
  },
);

test('takes no value ahead of the pulls', async () => {
  const probe = new Probe();
  const iterator = iterate(toAsyncIterable(probe.source));
  const first = iterator.next();
  expect(probe.held).toEqual([false]);
  probe.next(1);
  expect(probe.held).toEqual([true]);
  await first;
  const second = iterator.next();
  expect(probe.held).toEqual([false]);
  await iterator.return?.();
  await second;
});

test('takes as many values ahead as highWaterMark allows', async () => {
  const probe = new Probe();
  const iterator = iterate(toAsyncIterable(probe.source, { highWaterMark: 1 }));
  const first = iterator.next();
  expect(probe.held).toEqual([false]);
  probe.next(1);
  await first;
  expect(probe.held).toEqual([false]);
  probe.next(2);
  expect(probe.held).toEqual([true]);
  await iterator.next();
  expect(probe.held).toEqual([false]);
  await iterator.return?.();
});

test('answers concurrent pulls in order', async () => {
  const iterator = iterate(toAsyncIterable(of(1, 2)));
  const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()]);
  expect(results.map(({ value, done }) => (done ? 'done' : value))).toEqual([1, 2, 'done', 'done']);
});

test('throws the error of the source once, after the values before it', async () => {
  const iterator = iterate(toAsyncIterable(of(1, 2).pipe(concatWith(throwError(() => new Error('bad'))))));
  expect((await iterator.next()).value).toBe(1);
  expect((await iterator.next()).value).toBe(2);
  await expect(iterator.next()).rejects.toThrow('bad');
  expect((await iterator.next()).done).toBe(true);
});

test('leaving the loop unsubscribes and releases the source', async () => {
  const probe = new Probe();
  const loop = (async () => {
    for await (const value of toAsyncIterable(probe.source)) return value;
    return undefined;
  })();
  const [live] = probe.live;
  probe.next(1);
  probe.next(2);
  expect(live?.flow.held).toBe(true);
  expect(await loop).toBe(1);
  expect(probe.live).toEqual([]);
  expect(live?.flow.held).toBe(false);
});

test('return() settles the pending pulls', async () => {
  const iterator = iterate(toAsyncIterable(NEVER));
  const waiting = iterator.next();
  await iterator.return?.();
  expect((await waiting).done).toBe(true);
  expect((await iterator.next()).done).toBe(true);
});

test('leaving the loop gives unused bytes back in order', async () => {
  const source = new Subject<Buffer>();
  const back: string[] = [];
  const givingBack = byteSource(source, (bytes) => back.unshift(Buffer.from(bytes).toString()));
  const iterator = iterate(toAsyncIterable(givingBack));
  const first = iterator.next();
  for (const text of ['a', 'b', 'c']) source.next(Buffer.from(text));
  expect((await first).value?.toString()).toBe('a');
  await iterator.return?.();
  expect(back).toEqual(['b', 'c']);
});

test('fails, after the queued values, if the source cannot be held and nobody pulls', async () => {
  const source = new Subject<number>();
  const iterator = iterate(toAsyncIterable(source, { highWaterMark: 1 }));
  const first = iterator.next();
  for (let n = 0; n <= 65_537; n++) source.next(n);
  expect((await first).value).toBe(0);
  expect(source.observed).toBe(true);
  source.next(65_538);
  expect(source.observed).toBe(false);
  for (let n = 1; n <= 65_538; n++) await iterator.next();
  await expect(iterator.next()).rejects.toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW', limit: 1 });
});

test('rejects a highWaterMark that is not a number', () => {
  expect(() => toAsyncIterable(NEVER, { highWaterMark: Number.NaN })).toThrow(RangeError);
});
