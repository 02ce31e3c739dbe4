// flowFrom(): pulled only while it is not held, and released at once.
import { createReadStream } from 'node:fs';
import { Duplex, Readable } from 'node:stream';
import { ReadableStream, type ReadableStreamDefaultController } from 'node:stream/web';
import { type FlowInput, flowFrom, mapWithBackpressure } from '@rxsock/core';
import { firstValueFrom, lastValueFrom, NEVER, take, toArray } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

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

/** How much a stream may have read ahead on its own. */
const AHEAD = 2;

describe.each(Object.entries(kinds))('the input is %s', (_, make) => {
  test('emits all values and completes', async () => {
    const { source } = make(100);
    const values = await lastValueFrom(flowFrom(source).pipe(toArray()));
    expect(values).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  test('pulls only while a consumer has room', async () => {
    const { source, pulled } = make(1_000);
    const { subscription } = record(
      flowFrom(source).pipe(mapWithBackpressure(() => NEVER, { concurrency: 2, highWaterMark: 5 })),
    );
    await vi.waitUntil(() => pulled() >= 7);
    await turns(20);
    expect(pulled()).toBeLessThanOrEqual(7 + AHEAD);
    subscription.unsubscribe();
  });

  test('emits nothing while held, not even values it asked for earlier, and all of them afterwards', async () => {
    const { source, stopped } = make(3);
    const flow = flowFrom(source);
    const { log } = record(flow);
    const release = flow.hold('test');
    const before = [...log];
    await turns(20);
    if (!before.includes('complete')) expect(log).toEqual(before);
    release();
    await vi.waitUntil(() => log.at(-1) === 'complete');
    expect(log).toEqual(['0', '1', '2', 'complete']);
    expect(stopped()).toBe(true);
  });

  test('pulls nothing while it is held from the beginning', async () => {
    const { source, pulled } = make(3);
    const flow = flowFrom(source);
    const release = flow.hold();
    const { log } = record(flow);
    await turns(5);
    expect(log).toEqual([]);
    expect(pulled()).toBe(0);
    release();
    await vi.waitUntil(() => log.length === 4);
  });

  test('releases the input on unsubscription', async () => {
    const { source, pulled, stopped } = make(1_000);
    const values = await lastValueFrom(flowFrom(source).pipe(take(3), toArray()));
    expect(values).toEqual([0, 1, 2]);
    await vi.waitUntil(stopped);
    expect(pulled()).toBeLessThanOrEqual(4 + AHEAD);
  });
});

describe('unsubscribing releases an input at once while its next value is awaited', () => {
  test('a Readable is destroyed', async () => {
    const readable = new Readable({ read() {} });
    const { subscription, log } = record(flowFrom(readable));
    await turns(1);
    subscription.unsubscribe();
    expect(readable.destroyed).toBe(true);
    await turns(1);
    expect(log).toEqual([]);
  });

  test('a ReadableStream is cancelled', async () => {
    const cancel = vi.fn();
    const { subscription } = record(flowFrom(new ReadableStream({ cancel })));
    await turns(1);
    subscription.unsubscribe();
    await turns(1);
    expect(cancel).toHaveBeenCalledOnce();
  });

  test('an iterator is returned', async () => {
    const returned = vi.fn(async () => ({ done: true, value: undefined }) as const);
    const iterator = { next: () => new Promise<never>(() => {}), return: returned };
    const { subscription } = record(flowFrom({ [Symbol.asyncIterator]: () => iterator }));
    subscription.unsubscribe();
    await turns(1);
    expect(returned).toHaveBeenCalledOnce();
  });
});

describe('the error of the input comes after the values before it', () => {
  test.each<[string, () => FlowInput<unknown>]>([
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

  test('a Readable, also one that fails while it is held', async () => {
    const flow = flowFrom(createReadStream('/nowhere'));
    const release = flow.hold();
    const { log, ended } = record(flow);
    await turns(20);
    expect(log).toEqual([]);
    release();
    expect((await ended).error).toMatchObject({ code: 'ENOENT' });
  });
});

test('leaves the writable side of a Duplex open at the end of the readable side', async () => {
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

test('reports a stream that someone else reads', async () => {
  const stream = new ReadableStream();
  stream.getReader();
  await expect(firstValueFrom(flowFrom(stream))).rejects.toThrow(TypeError);
});

test('rejects an input that cannot be pulled, at the call', () => {
  for (const source of [undefined, 1, {}, Promise.resolve()])
    expect(() => flowFrom(source as never)).toThrow(TypeError);
});
