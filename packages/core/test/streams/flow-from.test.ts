// flowFrom(): pulled only while not held, and let go of at once.
import { createReadStream } from 'node:fs';
import { Duplex, Readable } from 'node:stream';
import { ReadableStream, type ReadableStreamDefaultController } from 'node:stream/web';
import { type FlowInput, flowFrom, mapWithBackpressure } from '@rxsock/core';
import { firstValueFrom, lastValueFrom, NEVER, take, toArray } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';

interface Counted<T> {
  readonly source: FlowInput<T>;
  readonly pulled: () => number;
  readonly stopped: () => boolean;
}

const kinds: Record<string, (length: number) => Counted<number>> = {
  iterable(length) {
    let pulled = 0;
    let stopped = false;
    function* source() {
      try {
        while (pulled < length) yield pulled++;
      } finally {
        stopped = true;
      }
    }
    return { source: source(), pulled: () => pulled, stopped: () => stopped };
  },
  'async iterable'(length) {
    let pulled = 0;
    let stopped = false;
    async function* source() {
      try {
        while (pulled < length) yield pulled++;
      } finally {
        stopped = true;
      }
    }
    return { source: source(), pulled: () => pulled, stopped: () => stopped };
  },
  Readable(length) {
    let pulled = 0;
    const source: Readable = new Readable({
      objectMode: true,
      highWaterMark: 1,
      read() {
        source.push(pulled < length ? pulled++ : null);
      },
    });
    return { source, pulled: () => pulled, stopped: () => source.destroyed };
  },
  ReadableStream(length) {
    let pulled = 0;
    let stopped = false;
    const source = new ReadableStream<number>(
      {
        pull(controller) {
          if (pulled < length) return controller.enqueue(pulled++);
          stopped = true;
          controller.close();
        },
        cancel() {
          stopped = true;
        },
      },
      { highWaterMark: 0 },
    );
    return { source, pulled: () => pulled, stopped: () => stopped };
  },
};

/** What a stream may have read ahead by itself. */
const AHEAD = 2;

const turn = () => new Promise(setImmediate);

describe.each(Object.entries(kinds))('of a kind: %s', (_, make) => {
  it('gives all values and completes', async () => {
    const { source } = make(100);
    const values = await lastValueFrom(flowFrom(source).pipe(toArray()));
    expect(values).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it('is pulled only while a consumer has room', async () => {
    const { source, pulled } = make(1_000);
    const { subscription } = record(
      flowFrom(source).pipe(mapWithBackpressure(() => NEVER, { concurrency: 2, highWaterMark: 5 })),
    );
    await vi.waitUntil(() => pulled() >= 7);
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(pulled()).toBeLessThanOrEqual(7 + AHEAD);
    subscription.unsubscribe();
  });

  it('gives nothing while held, not even what it was asked for before, and all of it after', async () => {
    const { source, stopped } = make(3);
    const flow = flowFrom(source);
    const { log } = record(flow);
    const release = flow.hold('test');
    const before = [...log];
    for (let turns = 0; turns < 20; turns++) await turn();
    if (!before.includes('complete')) expect(log).toEqual(before);
    release();
    await vi.waitUntil(() => log.at(-1) === 'complete');
    expect(log).toEqual(['0', '1', '2', 'complete']);
    expect(stopped()).toBe(true);
  });

  it('is not pulled at all while held from the beginning', async () => {
    const { source, pulled } = make(3);
    const flow = flowFrom(source);
    const release = flow.hold();
    const { log } = record(flow);
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(log).toEqual([]);
    expect(pulled()).toBe(0);
    release();
    await vi.waitUntil(() => log.length === 4);
  });

  it('is let go of when unsubscribed', async () => {
    const { source, pulled, stopped } = make(1_000);
    const values = await lastValueFrom(flowFrom(source).pipe(take(3), toArray()));
    expect(values).toEqual([0, 1, 2]);
    await vi.waitUntil(stopped);
    expect(pulled()).toBeLessThanOrEqual(4 + AHEAD);
  });
});

describe('a source that keeps it waiting is let go of at once', () => {
  it('a Readable is destroyed', async () => {
    const readable = new Readable({ read() {} });
    const { subscription, log } = record(flowFrom(readable));
    await turn();
    subscription.unsubscribe();
    expect(readable.destroyed).toBe(true);
    await turn();
    expect(log).toEqual([]);
  });

  it('a ReadableStream is cancelled', async () => {
    const cancel = vi.fn();
    const { subscription } = record(flowFrom(new ReadableStream({ cancel })));
    await turn();
    subscription.unsubscribe();
    await turn();
    expect(cancel).toHaveBeenCalledOnce();
  });

  it('an iterator is returned', async () => {
    const returned = vi.fn(async () => ({ done: true, value: undefined }) as const);
    const iterator = { next: () => new Promise<never>(() => {}), return: returned };
    const { subscription } = record(flowFrom({ [Symbol.asyncIterator]: () => iterator }));
    subscription.unsubscribe();
    await turn();
    expect(returned).toHaveBeenCalledOnce();
  });
});

describe('what the source fails with is an error, after the values before it', () => {
  it.each<[string, () => FlowInput<unknown>]>([
    [
      'a generator',
      function* () {
        yield 1;
        throw new Error('broken');
      },
    ],
    [
      'an async generator',
      async function* () {
        yield 1;
        throw new Error('broken');
      },
    ],
    [
      'a ReadableStream',
      () => {
        let step = 0;
        const pull = (controller: ReadableStreamDefaultController) =>
          step++ === 0 ? controller.enqueue(1) : controller.error(new Error('broken'));
        return new ReadableStream({ pull }, { highWaterMark: 0 });
      },
    ],
  ])('%s', async (_, source) => {
    const { values, ended } = record(flowFrom(source()));
    expect(await ended).toEqual({ error: new Error('broken') });
    expect(values).toEqual([1]);
  });

  it('a Readable, also one that fails while it is held', async () => {
    const flow = flowFrom(createReadStream('/nowhere'));
    const release = flow.hold();
    const { log, ended } = record(flow);
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(log).toEqual([]);
    release();
    expect((await ended).error).toMatchObject({ code: 'ENOENT' });
  });
});

it('leaves the writable side of a Duplex open at the end of the readable one', async () => {
  const written: string[] = [];
  const duplex = new Duplex({
    read() {
      duplex.push(null);
    },
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  await lastValueFrom(flowFrom(duplex), { defaultValue: undefined });
  await new Promise((resolve) => duplex.end('still here', resolve as () => void));
  expect(written).toEqual(['still here']);
});

it('tells of a stream that somebody else reads', async () => {
  const stream = new ReadableStream();
  stream.getReader();
  await expect(firstValueFrom(flowFrom(stream))).rejects.toThrow(TypeError);
});

it('refuses what cannot be pulled, at the call', () => {
  for (const source of [undefined, 1, {}, Promise.resolve()])
    expect(() => flowFrom(source as never)).toThrow(TypeError);
});
