// The faults of a connection in memory, in virtual time. faultyProxy() has the same ones.
import { data, on, ResetError } from '@rxsock/core';
import { chunkings } from '@rxsock/core/fast-check';
import { type NetworkFaults, type SocketPairOptions, socketPair, VirtualClock } from '@rxsock/core/testing';
import fc from 'fast-check';
import { from, map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { LONGEST_TIMER } from '../../src/base/deadline.js';
import { Channel } from '../../src/testing/channel.js';
import { NarrowClock } from '../support/narrow-clock.js';

function pairOn(options: SocketPairOptions = {}) {
  const clock = new VirtualClock();
  const [a, b] = socketPair({ scheduler: clock, keepOpen: true, allowHalfOpen: true, ...options });
  return { clock, a, b };
}

/** Sends the chunks through a channel at once. Returns the pieces with the times at which they arrive. */
function pieces(faults: NetworkFaults, chunks: readonly Uint8Array[], channelNumber = 0): [at: number, text: string][] {
  const clock = new VirtualClock();
  const arrived: [number, string][] = [];
  const deliver = (delivery: unknown) => void arrived.push([clock.now(), String(delivery)]);
  const channel = new Channel({ scheduler: clock, faults, channelNumber, deliver });
  for (const chunk of chunks) channel.send(Buffer.from(chunk));
  clock.tick(100_000);
  return arrived;
}

/** When each byte arrives. */
const byteTimes = (arrived: [number, string][]): number[] =>
  arrived.flatMap(([at, text]) => Array.from(text, () => at));

const text = 'the quick brown fox jumps over the lazy dog, and the dog sleeps on';
const letters = Buffer.from(text);

describe('jitter', () => {
  test('varies the latency around its average, and keeps the order', () => {
    const faults = { latency: 100, jitter: 50, slicer: { averageSize: 1 } };
    const arrived = pieces(faults, [Buffer.alloc(1000, 'x')]);
    const times = arrived.map(([at]) => at);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...times)).toBeLessThanOrEqual(150);
    expect(new Set(times).size).toBeGreaterThan(3);
    expect(pieces(faults, [letters]).map(([, piece]) => piece)).toEqual([...text]);
  });

  test('is never less than no latency', () => {
    const faults = { jitter: 50, bandwidth: 1000, slicer: { averageSize: 1 } };
    const early = byteTimes(pieces(faults, [letters])).filter((at, index) => at < index + 1 - 1e-6);
    expect(early).toEqual([]);
  });
});

describe('slicer', () => {
  test('cuts into pieces of random sizes around an average', () => {
    const arrived = pieces({ slicer: { averageSize: 10, sizeVariation: 4 } }, [Buffer.alloc(10_000, 'x')]);
    const sizes = arrived.slice(0, -1).map(([, { length }]) => length);
    expect([...new Set(sizes)].toSorted((one, other) => one - other)).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14]);
    expect(sizes.length).toBeGreaterThan(950);
    expect(sizes.length).toBeLessThan(1050);
  });

  test('cuts into pieces that can be moved to another thread one by one', () => {
    const { clock, a, b } = pairOn({ slicer: { sizes: [5000] } });
    const lengths: number[] = [];
    const move = (piece: Uint8Array) =>
      void lengths.push(structuredClone(piece, { transfer: [piece.buffer as ArrayBuffer] }).length);
    b.pipe(data()).subscribe(move);
    a.next(Buffer.alloc(15_000, 'x'));
    clock.tick(1000);
    expect(lengths).toEqual([5000, 5000, 5000]);
  });

  test('pauses after each piece, and the writer waits with it', () => {
    const { clock, a, b } = pairOn({ slicer: { averageSize: 2, delay: 10 } });
    const received = record(
      b.pipe(
        data(),
        map((bytes) => `${bytes} at ${clock.now()}`),
      ),
    );
    const finished = record(
      a.pipe(
        on('finish'),
        map(() => clock.now()),
      ),
    );
    a.next('abcde');
    a.complete();
    clock.tick(100);
    expect(received.log).toEqual(['ab at 0', 'cd at 10', 'e at 20', 'complete']);
    expect(finished.values).toEqual([20]);
  });
});

describe('seed', () => {
  const faults = { latency: 50, jitter: 50, slicer: { averageSize: 5, sizeVariation: 4 } };

  test('the same seed has the same faults, and another seed has others', () => {
    for (const seed of [0, 1, -1, 2 ** 40]) {
      expect(pieces({ ...faults, seed }, [letters])).toEqual(pieces({ ...faults, seed }, [letters]));
      expect(pieces({ ...faults, seed }, [letters])).not.toEqual(
        pieces({ ...faults, seed: seed + 2 ** 33 }, [letters]),
      );
    }
    expect(pieces(faults, [letters])).toEqual(pieces({ ...faults, seed: 0 }, [letters]));
  });

  test('the directions, and the connections of a proxy, have different faults', () => {
    expect(pieces(faults, [letters], 1)).not.toEqual(pieces(faults, [letters], 0));
  });

  test('the cuts do not depend on the chunks of the writer', () => {
    const cuts = (chunks: readonly Uint8Array[]) => {
      let at = 0;
      return pieces(faults, chunks).map(([, { length }]) => (at += length));
    };
    fc.assert(
      fc.property(chunkings(letters), (chunks) => {
        expect(cuts(chunks)).toEqual(expect.arrayContaining(cuts([letters])));
      }),
    );
  });

  test('the latency of a byte does not depend on the chunks of the writer', () => {
    const byByte = { latency: 500, jitter: 500, slicer: { averageSize: 1 } };
    const whole = byteTimes(pieces(byByte, [letters]));
    fc.assert(
      fc.property(chunkings(letters), (chunks) => {
        expect(byteTimes(pieces(byByte, chunks))).toEqual(whole);
      }),
    );
  });

  test('the latency of a piece does not depend on how many pieces were before it', () => {
    const faults = { latency: 500, jitter: 500, slicer: { sizes: [3] } };
    let compared = 0;
    for (let seed = 0; seed < 50; seed++) {
      const [abc, def] = pieces(
        { ...faults, seed },
        ['abc', 'def'].map((chunk) => Buffer.from(chunk)),
      );
      const [a, bc, again] = pieces(
        { ...faults, seed },
        ['a', 'bc', 'def'].map((chunk) => Buffer.from(chunk)),
      );
      // Otherwise it waited for the piece before it.
      if (!abc || !def || !a || !bc || def[0] === abc[0] || again?.[0] === bc[0]) continue;
      expect(again).toEqual(def);
      compared++;
    }
    expect(compared).toBeGreaterThan(5);
  });
});

describe('slowClose', () => {
  test('delays a FIN, but not the bytes before it', () => {
    const { clock, a, b } = pairOn({ slowClose: 100 });
    const received = record(b);
    a.next('bye');
    a.complete();
    clock.tick(99);
    expect(received.log).toEqual(['connect', 'data']);
    clock.tick(1);
    expect(received.log).toEqual(['connect', 'data', 'end']);
  });

  test('delays a reset', () => {
    const { clock, a, b } = pairOn({ slowClose: 100 });
    const received = record(b);
    a.error();
    clock.tick(99);
    expect(received.log).toEqual(['connect']);
    clock.tick(1);
    expect(received.log.at(-1)).toBe('error:ECONNRESET');
  });
});

describe('timeout', () => {
  test('lets some bytes pass, then nothing, and then ends the direction', () => {
    const { clock, a, b } = pairOn({ timeout: { bytes: 3, delay: 1000 } });
    const received = record(b);
    a.next('abcdef');
    clock.tick(500);
    a.next('ghi');
    clock.tick(499);
    expect(b.bytesRead).toBe(3);
    expect(received.log).toEqual(['connect', 'data']);
    clock.tick(1);
    expect(received.log).toEqual(['connect', 'data', 'end']);
  });

  test('without a delay it lasts, and swallows FINs and resets', () => {
    const { clock, a, b } = pairOn({ timeout: {}, finTimeout: 0, halfOpenTimeout: 0 });
    const received = [record(a), record(b)];
    a.next('a');
    a.complete();
    b.next('b');
    b.error();
    clock.tick(100_000);
    expect(received.map(({ log }) => log)).toEqual([
      ['connect', 'finish'],
      ['connect', 'close', 'error:ERR_SOCKET_ABORTED'],
    ]);
  });

  test('bytes that are dropped do not make the writer wait', () => {
    const { clock, a } = pairOn({ timeout: {}, highWaterMark: 10 });
    a.next(Buffer.alloc(1000));
    clock.tick(0);
    expect(a.writableLength).toBe(0);
  });
});

describe('resetPeer', () => {
  test('resets both ends after some time, and what is in transit is lost', () => {
    const { clock, a, b } = pairOn({ resetPeer: { delay: 100 }, latency: 50 });
    const received = [record(a), record(b)];
    a.next('one');
    clock.tick(60);
    a.next('two');
    clock.tick(39);
    expect(received.map(({ log }) => log)).toEqual([['connect'], ['connect', 'data']]);
    clock.tick(1);
    for (const { log } of received) expect(log.at(-1)).toBe('error:ECONNRESET');
    expect(b.bytesRead).toBe(3);
  });

  test('a held end does not keep the other one from its reset', () => {
    const { clock, a, b } = pairOn({ resetPeer: { delay: 100 }, highWaterMark: 4 });
    const received = record(a);
    record(b);
    b.hold();
    a.next('enough to fill it');
    clock.tick(100);
    expect(received.log.at(-1)).toBe('error:ECONNRESET');
  });

  test('passes some bytes first, and resets later', async () => {
    const { clock, a, b } = pairOn({ resetPeer: { bytes: 4, delay: 100 } });
    const received = [record(a), record(b)];
    a.next('abcdef');
    clock.tick(99);
    expect(b.bytesRead).toBe(4);
    expect(received.map(({ log }) => log)).toEqual([['connect'], ['connect', 'data']]);
    clock.tick(1);
    for (const { ended } of received) expect(await ended).toEqual({ error: expect.any(ResetError) });
  });

  test('leaves no timer behind when the connection has closed before', () => {
    const { clock, a, b } = pairOn({ resetPeer: { delay: 3_600_000 } });
    record(a);
    record(b);
    a.complete();
    b.complete();
    clock.tick(0);
    expect([a.readyState, b.readyState]).toEqual(['closed', 'closed']);
    expect(clock.actions).toEqual([]);
  });
});

test('a delay may be longer than a timer can wait', () => {
  const clock = new NarrowClock();
  const [a, b] = socketPair({ scheduler: clock, keepOpen: true, bandwidth: 0.001 });
  const { log } = record(b.pipe(data()));
  // It leaves as one chunk, and arrives byte by byte.
  const written = record(from(a.write(Buffer.alloc(10_000))));
  clock.tick(2 * LONGEST_TIMER);
  expect(log.join('')).toHaveLength(Math.floor((2 * LONGEST_TIMER) / 1_000_000));
  expect(written.log).toEqual([]);
});
