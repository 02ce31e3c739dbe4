// How minWriteRate judges what it measures: 100 bytes per second, in periods of 10 s.
import { VirtualClock } from '@rxsock/core/testing';
import { asyncScheduler } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { type WriteBacklog, WriteRate } from '../../src/engine/write-rate.js';

const PERIOD = 10_000;

/** Measures these backlogs, one in each period. Returns after how many looks the peer was given up; 0 if it was not. */
function looksUntilTooSlow(...backlogs: [taken: number, waiting: number][]): number {
  const clock = new VirtualClock();
  let looks = 0;
  let tooSlowAfter = 0;
  const read = () => {
    const [taken, waiting] = backlogs[looks++] ?? [0, 0];
    return { taken, waiting };
  };
  const rate = new WriteRate(clock, 100, PERIOD, { read, look: async () => read() }, () => {
    tooSlowAfter = looks;
  });
  rate.wrote();
  clock.tick(PERIOD * backlogs.length);
  rate.stop();
  return tooSlowAfter;
}

test('the rate is that of one period, and not the mean of all', () => {
  expect(looksUntilTooSlow([0, 5000], [1000, 4000], [2000, 3000])).toBe(0);
  expect(looksUntilTooSlow([0, 5000], [900, 4100])).toBe(2);
  expect(looksUntilTooSlow([0, 50_000], [40_000, 10_000], [40_900, 9_100])).toBe(3);
});

test('a peer need not take more than waited at the last look', () => {
  expect(looksUntilTooSlow([0, 5], [5, 50_000])).toBe(0);
  expect(looksUntilTooSlow([0, 500], [400, 50_000])).toBe(2);
});

test('a FIN that the peer has not acknowledged is not a byte that it did not read', () => {
  expect(looksUntilTooSlow([0, 1], [0, 1], [0, 1])).toBe(0);
  // It is not among what waited at the last look.
  expect(looksUntilTooSlow([0, 500], [499, 1])).toBe(0);
});

/** On real time, a look is asynchronous. Each look resolves when the test says so. */
function looking() {
  const looks: ((backlog: WriteBacklog) => void)[] = [];
  const look = () => new Promise<WriteBacklog>((resolve) => looks.push(resolve));
  const events: string[] = [];
  const meter = { read: () => ({ taken: 0, waiting: 0 }), look };
  const rate = new WriteRate(asyncScheduler, 1e9, 5, meter, () => events.push('too slow'));
  onTestFinished(() => rate.stop());
  return { rate, looks, events };
}

test('what is written during a look is measured by the next one', async () => {
  const { rate, looks, events } = looking();
  rate.wrote();
  await expect.poll(() => looks.length).toBe(1);
  rate.wrote();
  looks[0]?.({ taken: 0, waiting: 0 });
  await expect.poll(() => looks.length).toBe(2);
  looks[1]?.({ taken: 0, waiting: 500 });
  await expect.poll(() => looks.length).toBe(3);
  looks[2]?.({ taken: 0, waiting: 500 });
  await expect.poll(() => events).toEqual(['too slow']);
});

test('a look that was stopped decides nothing, and what it follows is forgotten', async () => {
  const { rate, looks, events } = looking();
  rate.wrote();
  await expect.poll(() => looks.length).toBe(1);
  looks[0]?.({ taken: 0, waiting: 500 });
  await expect.poll(() => looks.length).toBe(2);
  rate.stop();
  looks[1]?.({ taken: 0, waiting: 500 });
  rate.wrote();
  await expect.poll(() => looks.length).toBe(3);
  looks[2]?.({ taken: 0, waiting: 500 });
  await expect.poll(() => looks.length).toBe(4);
  expect(events).toEqual([]);
});

test('a look that is late because the event loop was blocked judges nothing, and the next one does', async () => {
  const { rate, looks, events } = looking();
  const block = () => {
    const end = performance.now() + 100;
    while (performance.now() < end);
  };
  const answer = async (look: number, backlog: WriteBacklog) => {
    await expect.poll(() => looks.length).toBe(look + 1);
    looks[look]?.(backlog);
  };
  rate.wrote();
  await answer(0, { taken: 0, waiting: 500 });
  block();
  await answer(1, { taken: 100, waiting: 400 });
  await expect.poll(() => looks.length).toBe(3);
  expect(events).toEqual([]);
  block();
  looks[2]?.({ taken: 100, waiting: 400 });
  await expect.poll(() => events).toEqual(['too slow']);
});
