// toAsyncIterable(): pulling, with calls in any order.
import { flowFrom, type ToAsyncIterableOptions, toAsyncIterable } from '@rxsock/core';
import { concat, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';

const iterate = <T>(source: Observable<T>, options?: ToAsyncIterableOptions) =>
  toAsyncIterable(source, options)[Symbol.asyncIterator]();

describe('toAsyncIterable()', () => {
  test('subscribes once for each loop, at its first pull', async () => {
    let subscribed = 0;
    const source = new Observable<number>((subscriber) => {
      subscribed++;
      subscriber.next(subscribed);
      subscriber.complete();
    });
    const iterable = toAsyncIterable(source);
    const iterator = iterable[Symbol.asyncIterator]();
    expect(subscribed).toBe(0);
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    for await (const value of iterable) expect(value).toBe(2);
  });

  test('answers concurrent pulls in order, including those after the end', async () => {
    const source = new Subject<number>();
    const iterator = iterate(source);
    const pulls = [iterator.next(), iterator.next(), iterator.next(), iterator.next()];
    source.next(1);
    source.next(2);
    source.complete();
    expect(await Promise.all(pulls)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  test('throws once, after the values before the error', async () => {
    const iterator = iterate(
      concat(
        of(1, 2),
        throwError(() => new Error('broken')),
      ),
    );
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    expect(await iterator.next()).toEqual({ done: false, value: 2 });
    await expect(iterator.next()).rejects.toThrow('broken');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test.each([0, 1, 5])('takes no more than %d values ahead of the pulls', async (highWaterMark) => {
    let pulled = 0;
    function* source() {
      for (;;) yield pulled++;
    }
    const iterator = iterate(flowFrom(source()), { highWaterMark });
    await iterator.next();
    expect(pulled).toBe(1 + highWaterMark);
    await iterator.next();
    expect(pulled).toBe(2 + highWaterMark);
    await iterator.return?.();
  });

  test('return() settles the pending pulls and unsubscribes', async () => {
    const unsubscribed = vi.fn();
    const iterator = iterate(new Observable<never>(() => unsubscribed));
    const pull = iterator.next();
    await iterator.return?.();
    expect(await pull).toEqual({ done: true, value: undefined });
    expect(unsubscribed).toHaveBeenCalledOnce();
  });

  test('does not subscribe after return()', async () => {
    const subscribed = vi.fn();
    const iterator = iterate(new Observable<never>(subscribed));
    await iterator.return?.();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(subscribed).not.toHaveBeenCalled();
  });

  test('yields nothing after return(), not even a queued error', async () => {
    const iterator = iterate(
      concat(
        of(1, 2),
        throwError(() => new Error('broken')),
      ),
    );
    await iterator.next();
    await iterator.return?.();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('fails if values that cannot be held are queued', async () => {
    const source = new Subject<number>();
    const iterator = iterate(source, { highWaterMark: 1 });
    const first = iterator.next();
    for (let value = 0; source.observed; value++) source.next(value);
    expect(await first).toEqual({ done: false, value: 0 });
    const rest: number[] = [];
    const error = await (async () => {
      for await (const value of iterator) rest.push(value);
    })().catch((error: unknown) => error);
    expect(error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW' });
    expect(rest.length).toBe(65_538);
  });

  test('rejects an invalid high-water mark at the call', () => {
    expect(() => toAsyncIterable(NEVER, { highWaterMark: -1 })).toThrow(RangeError);
  });
});
