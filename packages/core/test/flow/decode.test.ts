// decode() emits one frame at a time: a consumer that holds or unsubscribes stops it inside a chunk.
import {
  type Codec,
  type Decoder,
  data,
  decode,
  FrameError,
  type JsonLineError,
  jsonLinesCodec,
  lengthPrefixedCodec,
  linesCodec,
  mapCodec,
  reader,
} from '@rxsock/core';
import { socketPair, VirtualClock } from '@rxsock/core/testing';
import {
  concat,
  defer,
  lastValueFrom,
  merge,
  NEVER,
  Observable,
  of,
  repeat,
  Subject,
  take,
  throwError,
  VirtualTimeScheduler,
} from 'rxjs';
import { map, switchMap, toArray } from 'rxjs/operators';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { Flowable } from '../../src/flow/flowable.js';
import { Holds } from '../../src/flow/holds.js';
import { byteSource, Consumer, Eager, Probe } from './support.js';

const lines = () => decode(linesCodec());
const bytes = (text: string) => Buffer.from(text);
const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
const text = (from: number, to: number) =>
  names(from, to)
    .map((name) => `${name}\n`)
    .join('');

/** Frames that begin with one byte of length. Those of an even length are left out. */
const evenFrames = () =>
  mapCodec(lengthPrefixedCodec({ lengthField: 1 }), {
    decode: (frame) => (frame.length % 2 === 0 ? undefined : frame),
    encode: (frame: Buffer) => frame,
  });

/** Bytes that can be given back. Each subscription synchronously gets the bytes that are left. */
class Refillable {
  buffer: Buffer;
  readonly source = byteSource(
    new Observable<Buffer>((subscriber) => {
      const all = this.buffer;
      this.buffer = Buffer.alloc(0);
      if (all.length > 0) subscriber.next(all);
    }),
    (unused) => {
      this.buffer = Buffer.concat([unused, this.buffer]);
    },
  );

  constructor(content: string) {
    this.buffer = bytes(content);
  }
}

describe('a held decode()', () => {
  test('stops inside a chunk and resumes there', () => {
    const source = new Subject<Uint8Array>();
    const consumer = new Consumer(source.pipe(lines())).start();
    let release: (() => void) | undefined;
    consumer.onNext = (line) => {
      if (line === 'line 2') release = consumer.flows.hold('slow');
    };
    source.next(bytes(text(0, 1000)));
    expect(consumer.values).toEqual(names(0, 3));
    release?.();
    expect(consumer.values).toEqual(names(0, 1000));
  });

  test('holds its source until the last frame of the chunk is out', () => {
    const source = new Eager([0, 1, 2, 3].map((n) => bytes(text(n * 10, n * 10 + 10))));
    const consumer = new Consumer(source.source.pipe(lines()));
    let release: (() => void) | undefined;
    consumer.onNext = () => {
      release = consumer.flows.hold('slow');
    };
    consumer.start();
    for (let taken = 1; taken <= 40; taken++) {
      expect(consumer.values).toEqual(names(0, taken));
      expect(source.emitted).toBe(Math.ceil(taken / 10));
      release?.();
    }
    expect(consumer.completed).toBe(true);
  });

  test('does not recurse when the consumer holds and releases within each frame, and delivers one frame at a time', () => {
    const source = new Eager([bytes(text(0, 50_000)), bytes(text(50_000, 100_000))]);
    const consumer = new Consumer(source.source.pipe(lines()));
    let depth = 0;
    let deepest = 0;
    consumer.onNext = () => {
      deepest = Math.max(deepest, ++depth);
      consumer.flows.hold('shortly')();
      depth--;
    };
    consumer.start();
    expect(consumer.values).toHaveLength(100_000);
    expect(consumer.completed).toBe(true);
    expect(deepest).toBe(1);
  });

  test('reports the names of its holders to its source', () => {
    const flow = new Holds(() => {});
    const source = new Flowable<Uint8Array>(() => {}, flow);
    const consumer = new Consumer(source.pipe(lines())).start();
    consumer.flows.hold('slow database');
    expect(flow.holds).toEqual(['decode ← slow database']);
    consumer.stop();
  });

  test('keeps an unterminated last line and the completion until the release', () => {
    const source = new Subject<Uint8Array>();
    const consumer = new Consumer(source.pipe(lines())).start();
    const release = consumer.flows.hold('slow');
    source.next(bytes('one\ntw'));
    source.next(bytes('o'));
    source.complete();
    expect([consumer.values, consumer.completed]).toEqual([[], false]);
    release();
    expect([consumer.values, consumer.completed]).toEqual([['one', 'two'], true]);
  });

  test('delivers the error of the source after the frames before it', () => {
    const consumer = new Consumer(
      concat(
        of(bytes('one\ntwo\nthr')),
        throwError(() => 'bad'),
      ).pipe(lines()),
    );
    const release = consumer.flows.hold('slow');
    consumer.start();
    expect([consumer.values, consumer.error]).toEqual([[], undefined]);
    release();
    expect([consumer.values, consumer.error]).toEqual([['one', 'two'], 'bad']);
  });

  test('delivers a decoding error after the frames before it in the same chunk', () => {
    const source = new Probe();
    const chunks = source.source.pipe(switchMap(() => [bytes('one\ntwo\nthree is too long\nfour\n')]));
    const consumer = new Consumer(chunks.pipe(decode(linesCodec({ maxLength: 5 })))).start();
    const release = consumer.flows.hold('slow');
    source.next(0);
    expect(consumer.error).toBeUndefined();
    release();
    expect(consumer.values).toEqual(['one', 'two']);
    expect(consumer.error).toMatchObject({ code: 'ERR_FRAME_TOO_LONG' });
    expect(source.live).toEqual([]);
    expect(consumer.flows.size).toBe(0);
  });

  test('limits how much it queues from a source that cannot be held', () => {
    const source = new Subject<Uint8Array>();
    const consumer = new Consumer(source.pipe(lines())).start();
    consumer.flows.hold('slow');
    const mebibyte = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 64; i++) source.next(mebibyte);
    expect(consumer.error).toBeUndefined();
    source.next(bytes('x'));
    expect(consumer.error).toMatchObject({
      code: 'ERR_BACKPRESSURE_OVERFLOW',
      limit: 64 * 1024 * 1024,
      message: expect.stringMatching(
        /^\d+ bytes in 64 chunks wait for a slow consumer, and their source cannot be held: create it with flowFrom\(\)$/,
      ),
    });
    expect(source.observed).toBe(false);
  });

  test('counts what small chunks cost beside their bytes, and queues no empty ones', () => {
    const source = new Subject<Uint8Array>();
    const consumer = new Consumer(source.pipe(lines())).start();
    consumer.flows.hold('slow');
    for (let i = 0; i < 1_000_000; i++) source.next(new Uint8Array(0));
    expect(consumer.error).toBeUndefined();
    const byte = bytes('x');
    for (let i = 0; i < 600_000; i++) source.next(byte);
    expect(consumer.error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW' });
  });

  test('limits how much it queues from a source that cannot be held and is merged with one that can', () => {
    const source = new Subject<Uint8Array>();
    const probe = new Probe();
    const held = probe.source.pipe(map(() => bytes('x')));
    const consumer = new Consumer(merge(held, source).pipe(lines())).start();
    expect(consumer.flows.size).toBe(1);
    consumer.flows.hold('slow');
    const mebibyte = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 64; i++) source.next(mebibyte);
    expect(consumer.error).toBeUndefined();
    source.next(mebibyte);
    expect(consumer.error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW' });
  });
});

test('a fast consumer takes more than 64 MiB in all from a source that cannot be held', () => {
  const source = new Subject<Uint8Array>();
  const { values, log } = record(source.pipe(decode(linesCodec({ maxLength: 2 * 1024 * 1024 }))));
  const line = Buffer.alloc(1024 * 1024, 'x');
  line[line.length - 1] = 10;
  for (let i = 0; i < 66; i++) source.next(line);
  expect(values).toHaveLength(66);
  expect(log.at(-1)).not.toMatch(/^error/);
});

describe('unsubscribing from decode()', () => {
  test('in the middle of a chunk of 100,000 frames gives the rest back', () => {
    const source = new Refillable(text(0, 100_000));
    const consumer = new Consumer(source.source.pipe(lines(), take(99_998))).start();
    expect(consumer.values).toHaveLength(99_998);
    expect(source.buffer.toString()).toBe(text(99_998, 100_000));
  });

  test('while held gives back every queued chunk in order', () => {
    const source = new Subject<Buffer>();
    const back: string[] = [];
    const givingBack = byteSource(source, (unused) => back.unshift(Buffer.from(unused).toString()));
    const consumer = new Consumer(givingBack.pipe(lines())).start();
    source.next(bytes('one\ntw'));
    consumer.flows.hold('slow');
    for (const chunk of ['o\nth', 'ree\n', 'four']) source.next(bytes(chunk));
    consumer.stop();
    expect(back.join('')).toBe('two\nthree\nfour');
  });

  test('after each frame loses none and does not recurse', () => {
    const source = new Refillable(text(0, 2_000));
    const consumer = new Consumer(defer(() => source.source.pipe(lines(), take(1))).pipe(repeat(2_000))).start();
    expect(consumer.values).toEqual(names(0, 2_000));
    expect(source.buffer).toHaveLength(0);
  });

  test('and subscribing with another codec in the middle of a chunk loses nothing', () => {
    const source = new Refillable('LENGTH 5\nhello, and\nso on\n');
    const five: Pick<Codec<string>, 'decoder'> = { decoder: () => new TakeBytes(5) };
    const result = concat(
      source.source.pipe(lines(), take(1)),
      source.source.pipe(decode(five), take(1)),
      source.source.pipe(lines()),
    );
    const consumer = new Consumer(result).start();
    expect(consumer.values).toEqual(['LENGTH 5', 'hello', ', and', 'so on']);
  });

  test('and subscribing with another codec within a frame loses nothing on a socket', async () => {
    const { socket, peer } = await pair();
    const five: Pick<Codec<string>, 'decoder'> = { decoder: () => new TakeBytes(5) };
    const words = socket.pipe(
      data(),
      lines(),
      take(1),
      switchMap(() => socket.pipe(data(), decode(five), take(2))),
    );
    const result = lastValueFrom(
      words.pipe(
        toArray(),
        switchMap((all) =>
          socket.pipe(
            data(),
            lines(),
            take(1),
            map((line) => [...all, line]),
          ),
        ),
      ),
    );
    peer.write('LENGTH 5\nhelloworldso on\n');
    expect(await result).toEqual(['hello', 'world', 'so on']);
  });

  test('at the end, or after a failure of the source, gives nothing back', () => {
    for (const end of [(s: Subject<Buffer>) => s.complete(), (s: Subject<Buffer>) => s.error('bad')]) {
      const source = new Subject<Buffer>();
      let back = 0;
      const givingBack = byteSource(source, (unused) => {
        back += unused.length;
      });
      new Consumer(givingBack.pipe(decode(linesCodec({ trailing: 'drop' })))).start();
      source.next(bytes('one\ntw'));
      end(source);
      expect(back).toBe(0);
    }
  });
});

/** Frames of a fixed number of bytes, written the way a user would write the codec. */
class TakeBytes implements Decoder<string> {
  readonly #size: number;
  #bytes = Buffer.alloc(0);

  constructor(size: number) {
    this.#size = size;
  }

  push(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
  }

  next(): string | undefined {
    if (this.#bytes.length < this.#size) return undefined;
    const frame = this.#bytes.toString('latin1', 0, this.#size);
    this.#bytes = this.#bytes.subarray(this.#size);
    return frame;
  }

  end(): void {}

  rest(): Uint8Array {
    return this.#bytes;
  }
}

describe('frameTimeout', () => {
  /** A source on virtual time. `send` first lets the given time pass. */
  function timed(frameTimeout = 50, codec: Pick<Codec<unknown>, 'decoder'> = linesCodec()) {
    const clock = new VirtualTimeScheduler();
    const source = new Subject<Uint8Array>();
    const consumer = new Consumer(source.pipe(decode(codec, { frameTimeout, scheduler: clock }))).start();
    const wait = (milliseconds: number) => {
      clock.maxFrames = clock.frame + milliseconds;
      clock.schedule(() => {}, milliseconds);
      clock.flush();
    };
    return { clock, source, consumer, wait };
  }

  test('fails a frame that takes too long, measured from its first byte', () => {
    const { source, consumer, wait } = timed();
    wait(1000);
    source.next(bytes('a'));
    wait(30);
    source.next(bytes('b'));
    wait(19);
    expect(consumer.error).toBeUndefined();
    wait(1);
    expect(consumer.error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'frameTimeout', milliseconds: 50 });
    expect(source.observed).toBe(false);
  });

  test('runs for the unfinished frame behind frames that took several turns', async () => {
    const { socket, peer } = await pair();
    const busy = (line: string) => {
      for (const begun = performance.now(); performance.now() - begun < 1; );
      return line;
    };
    const framed = decode(linesCodec(), { frameTimeout: 50 });
    const { values, ended } = record(socket.pipe(data(), framed, map(busy)));
    peer.write(`${text(0, 50)}unfinished`);
    expect((await ended).error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'frameTimeout' });
    expect(values).toEqual(names(0, 50));
  });

  const odd = mapCodec(linesCodec(), { decode: (line) => (line === 'even' ? undefined : line), encode: String });
  test.each<[string, Pick<Codec<unknown>, 'decoder'>, string, string]>([
    ['a blank line of JSON', jsonLinesCodec(), '\r', '\n'],
    ['a line that is too long', linesCodec({ maxLength: 3, oversize: 'discard' }), 'abc', 'def\n'],
    ['a frame that mapCodec() leaves out', odd, 'ev', 'en\n'],
    ['a frame of another decoder that mapCodec() leaves out', evenFrames(), '\x02', 'ab'],
    ['a long frame that is left out', evenFrames(), `\x64${'x'.repeat(99)}`, 'y'],
  ])('does not run behind %s', (_what, codec, begin, rest) => {
    const { source, consumer, wait } = timed(50, codec);
    source.next(bytes(begin));
    wait(49);
    source.next(bytes(rest));
    wait(1000);
    source.next(bytes(begin));
    wait(49);
    expect(consumer.error).toBeUndefined();
    expect(consumer.values).toEqual([]);
    wait(1);
    expect(consumer.error).toMatchObject({ timeout: 'frameTimeout' });
  });

  test('starts again with each frame and does not run between frames', () => {
    const { source, consumer, wait } = timed();
    for (const chunk of ['on', 'e\ntw', 'o\nthr', 'ee\n']) {
      source.next(bytes(chunk));
      wait(49);
    }
    wait(1000);
    expect(consumer.error).toBeUndefined();
    expect(consumer.values).toEqual(['one', 'two', 'three']);
  });

  test('does not run while held', () => {
    const { source, consumer, wait } = timed();
    source.next(bytes('a'));
    const release = consumer.flows.hold('slow');
    wait(1000);
    expect(consumer.error).toBeUndefined();
    release();
    wait(49);
    expect(consumer.error).toBeUndefined();
    wait(1);
    expect(consumer.error).toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('stands still while held: many short holds do not give an unfinished frame more time', () => {
    const { source, consumer, wait } = timed();
    source.next(bytes('a'));
    for (let holds = 0; holds < 49; holds++) {
      wait(1);
      const release = consumer.flows.hold('slow');
      wait(10);
      source.next(bytes('b'));
      release();
    }
    expect(consumer.error).toBeUndefined();
    wait(1);
    expect(consumer.error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'frameTimeout' });
  });

  test('goes on after a hold: the frame may still be completed, and the next one has the full time', () => {
    const { source, consumer, wait } = timed();
    source.next(bytes('on'));
    wait(30);
    const release = consumer.flows.hold('slow');
    wait(1000);
    release();
    wait(19);
    source.next(bytes('e\ntw'));
    wait(49);
    expect([consumer.values, consumer.error]).toEqual([['one'], undefined]);
    wait(1);
    expect(consumer.error).toMatchObject({ timeout: 'frameTimeout' });
  });

  test('has its full time for a frame that begins behind one that was completed during a hold', () => {
    const { source, consumer, wait } = timed();
    source.next(bytes('on'));
    wait(30);
    const release = consumer.flows.hold('slow');
    source.next(bytes('e\ntw'));
    wait(1000);
    release();
    wait(49);
    expect([consumer.values, consumer.error]).toEqual([['one'], undefined]);
    wait(1);
    expect(consumer.error).toMatchObject({ timeout: 'frameTimeout' });
  });

  const ways: readonly (readonly [string, (context: ReturnType<typeof timed>) => void])[] = [
    ['leaving', ({ consumer }) => consumer.stop()],
    ['completion', ({ source }) => source.complete()],
    ['an error', ({ source }) => source.error('bad')],
    ['a hold', ({ consumer }) => void consumer.flows.hold('slow')],
    [
      'leaving at a frame',
      ({ source, consumer }) => {
        consumer.onNext = () => consumer.stop();
        source.next(bytes('\nb'));
      },
    ],
    [
      'leaving at a frame after a hold',
      ({ source, consumer }) => {
        const release = consumer.flows.hold('slow');
        source.next(bytes('\nb'));
        consumer.onNext = () => consumer.stop();
        release();
      },
    ],
  ];
  test.each(ways)('leaves no timer behind: %s', (_name, end) => {
    const context = timed();
    context.source.next(bytes('a'));
    expect(context.clock.actions).toHaveLength(1);
    end(context);
    expect(context.clock.actions).toHaveLength(0);
  });

  test('reads the rest once per frame, not once per chunk, because rest() copies it', () => {
    const decoder = linesCodec().decoder();
    const rest = vi.spyOn(decoder, 'rest');
    const source = new Subject<Uint8Array>();
    const clock = new VirtualTimeScheduler();
    const consumer = new Consumer(
      source.pipe(decode({ decoder: () => decoder }, { frameTimeout: 1, scheduler: clock })),
    );
    consumer.start();
    for (let i = 0; i < 1000; i++) source.next(bytes('x'));
    source.next(bytes('\n'));
    expect(consumer.values).toHaveLength(1);
    expect(rest.mock.calls.length).toBeLessThanOrEqual(2);
    consumer.stop();
  });

  test('does not copy the unfinished frame at each hold', () => {
    const decoder = linesCodec().decoder();
    const { rest } = decoder;
    let copied = 0;
    vi.spyOn(decoder, 'rest').mockImplementation(() => {
      const bytes = rest.call(decoder);
      copied += bytes.length;
      return bytes;
    });
    const source = new Subject<Uint8Array>();
    const clock = new VirtualTimeScheduler();
    const consumer = new Consumer(
      source.pipe(decode({ decoder: () => decoder }, { frameTimeout: 1, scheduler: clock })),
    );
    consumer.start();
    for (let i = 0; i < 1000; i++) {
      source.next(bytes('x'));
      for (let holds = 0; holds < 3; holds++) consumer.flows.hold('slow')();
      expect(clock.actions).toHaveLength(1);
    }
    source.next(bytes('\n'));
    consumer.flows.hold('slow')();
    expect(clock.actions).toHaveLength(0);
    expect(copied).toBeLessThanOrEqual(2 * 1000);
    consumer.stop();
  });

  test('the time stands still while others hold the socket', () => {
    const clock = new VirtualClock();
    const [socket, peer] = socketPair({ scheduler: clock });
    record(peer);
    const { log } = record(socket.pipe(data(), decode(linesCodec(), { frameTimeout: 1000 })));
    peer.next('half');
    clock.tick(500);
    const release = socket.hold('another consumer');
    clock.tick(5000);
    expect(log).toEqual([]);
    release();
    clock.tick(499);
    expect(log).toEqual([]);
    clock.tick(1);
    expect(log).toEqual(['error:ETIMEDOUT']);
  });

  test('listens to the holds on its socket for no longer than it is subscribed', () => {
    const clock = new VirtualClock();
    const [socket, peer] = socketPair({ scheduler: clock, keepOpen: true });
    record(peer);
    const { subscription, log } = record(socket.pipe(data(), decode(linesCodec(), { frameTimeout: 1000 })));
    peer.next('half');
    clock.tick(10);
    subscription.unsubscribe();
    socket.hold('busy')();
    clock.tick(5000);
    expect([log, clock.actions.filter(({ closed }) => !closed)]).toEqual([[], []]);
  });

  test.each([-1, Number.NaN])('rejects frameTimeout %d', (frameTimeout) => {
    expect(() => decode(linesCodec(), { frameTimeout })).toThrow(RangeError);
  });

  describe('runs on', () => {
    /** Half a line that a socket in memory has received: its lines, and the clock of the socket. */
    function half(toLines: (bytes: Observable<Uint8Array>) => Observable<string>) {
      const clock = new VirtualClock();
      const [socket, peer] = socketPair({ scheduler: clock });
      const { log, subscription } = record(toLines(socket.pipe(data())));
      onTestFinished(() => subscription.unsubscribe());
      peer.next('half');
      clock.tick(0);
      expect(socket.bytesRead).toBe(4);
      return { clock, log };
    }

    test('the clock of the socket whose data() comes directly before', () => {
      const { clock, log } = half((bytes) => bytes.pipe(decode(linesCodec(), { frameTimeout: 5000 })));
      clock.tick(4999);
      expect(log).toEqual([]);
      clock.tick(1);
      expect(log).toEqual(['error:ETIMEDOUT']);
    });

    test('real time behind any other operator', () => {
      const { clock, log } = half((bytes) =>
        bytes.pipe(
          map((chunk) => chunk),
          decode(linesCodec(), { frameTimeout: 5000 }),
        ),
      );
      clock.tick(100_000);
      expect(log).toEqual([]);
    });

    test('another scheduler that is given', () => {
      const scheduler = new VirtualClock();
      const { clock, log } = half((bytes) => bytes.pipe(decode(linesCodec(), { frameTimeout: 5000, scheduler })));
      clock.tick(100_000);
      expect(log).toEqual([]);
      scheduler.tick(5000);
      expect(log).toEqual(['error:ETIMEDOUT']);
    });
  });

  test.each([null, 5])('refuses %j as its scheduler', (scheduler) => {
    expect(() => decode(linesCodec(), { frameTimeout: 5, scheduler: scheduler as never })).toThrow(
      /^scheduler must be/,
    );
  });
});

test('an error about the bytes of a socket has its two ends, and is otherwise the same at any chunking', async () => {
  const input = bytes('1\n2\n{"a\n4\n');
  const codec = jsonLinesCodec();
  const { error: plain } = await record(of(input).pipe(decode(codec))).ended;
  expect(plain).toMatchObject({ code: 'ERR_FRAME_MALFORMED', local: undefined, remote: undefined });
  for (const size of [1, 3, input.length]) {
    const { socket, peer } = await pair();
    const { values, ended } = record(socket.pipe(data(), decode(codec)));
    for (let at = 0; at < input.length; at += size) {
      peer.write(input.subarray(at, at + size));
      await vi.waitUntil(() => socket.bytesRead === Math.min(at + size, input.length));
    }
    const { error } = (await ended) as { error: JsonLineError };
    const { local, remote } = socket;
    expect(remote).toMatchObject({ port: peer.localPort });
    expect(error).toMatchObject({ local, remote, message: (plain as Error).message, line: 3 });
    expect(values).toEqual([1, 2]);

    using rest = reader(socket);
    const rejected = await rest.readFrame(codec).catch((reason) => reason);
    expect(rejected).toMatchObject({ local, remote, message: (plain as Error).message.replace('Line 3', 'Line 1') });
  }
});

test('an error that names another socket already is left as it is', async () => {
  const { socket, peer } = await pair();
  const error = Object.assign(new FrameError('bad'), { remote: { path: 'elsewhere' } });
  const frozen = Object.freeze(new FrameError('bad'));
  for (const thrown of [error, frozen]) {
    const next = () => {
      throw thrown;
    };
    const decoder = () => ({ push: () => {}, next, end: () => {}, rest: () => new Uint8Array() });
    const { ended } = record(socket.pipe(data(), decode({ decoder })));
    peer.write('x');
    expect((await ended).error).toBe(thrown);
  }
  expect([error.local, error.remote, frozen.remote]).toEqual([undefined, { path: 'elsewhere' }, undefined]);
});

test('a codec whose decoder() throws is an error, and the source is not subscribed', () => {
  const source = new Probe();
  const codec = {
    decoder(): Decoder<string> {
      throw 'bad';
    },
  };
  const consumer = new Consumer(
    source.source.pipe(
      switchMap(() => NEVER),
      decode(codec),
    ),
  ).start();
  expect(consumer.error).toBe('bad');
  expect(source.subscribed).toBe(0);
});
