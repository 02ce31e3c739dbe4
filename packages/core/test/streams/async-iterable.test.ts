// toAsyncIterable(): pulling, with calls in any order.
import { data, flowFrom, on, type Socket, type ToAsyncIterableOptions, toAsyncIterable } from '@rxsock/core';
import { concat, map, NEVER, Observable, of, Subject, tap, throwError } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

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

describe('return() of an iterator over the bytes of a socket', () => {
  /** An iterator that has returned the first chunk, and that others wait in. */
  async function leaving(
    chunks: readonly string[],
    {
      highWaterMark = 2,
      before = (_socket: Socket) => {},
    }: { highWaterMark?: number; before?: (socket: Socket) => void } = {},
  ) {
    const { socket, peer } = await pair();
    before(socket);
    const iterator = iterate(socket.pipe(data()), { highWaterMark });
    const first = iterator.next();
    let sent = 0;
    for (const chunk of chunks) {
      peer.write(chunk);
      sent += chunk.length;
      await expect.poll(() => socket.bytesRead).toBe(sent);
    }
    expect(String((await first).value)).toBe(chunks[0]);
    return { socket, peer, iterator };
  }

  test('gives back what waits in it before an end that waits behind it', async () => {
    const { socket, peer, iterator } = await leaving(['one ', 'two ', 'three ']);
    const log: string[] = [];
    const note = (entry: unknown) => void log.push(String(entry));
    record(
      socket.pipe(
        on('end'),
        map(() => 'end'),
        tap(note),
      ),
    );
    peer.end();
    await expect.poll(() => socket.readyState).toBe('writeOnly');
    await iterator.return?.();
    expect(log).toEqual([]);
    await socket.write('answer');
    record(socket.pipe(data(), tap(note)));
    await expect.poll(() => log).toEqual(['two ', 'three ', 'end']);
  });

  test('gives it in its order to a reader that came later and stays', async () => {
    const { socket, iterator } = await leaving(['1', '22', '333'], { highWaterMark: 4 });
    const { log } = record(socket.pipe(data()));
    await turns();
    await iterator.return?.();
    await expect.poll(() => log).toEqual(['22', '333']);
  });

  test('gives it to a reader that comes in this turn, beside one that stays', async () => {
    const { socket, peer, iterator } = await leaving(['1', '2', '3', '4', '5'], {
      before: (other) => record(other.pipe(data())),
    });
    void iterator.return?.();
    const { values, ended } = record(socket.pipe(data()));
    await turns();
    peer.end('6');
    await ended;
    expect(values.join('')).toBe('23456');
  });
});
