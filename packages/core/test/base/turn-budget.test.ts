// The budget of a turn: 5 ms and 1 MiB. The clock is read only now and then.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nextTurn, spendRead, spendTime, spendTurn } from '../../src/base/turn-budget.js';

let now = 0;
let readings = 0;

beforeEach(async () => {
  vi.spyOn(performance, 'now').mockImplementation(() => {
    readings++;
    return now;
  });
  await nextTurn();
  readings = 0;
});

afterEach(async () => {
  vi.restoreAllMocks();
  await nextTurn();
});

/** Calls `spend` until it returns `false`, for `milliseconds` each time. Returns how many calls returned `true`. */
function callsOf(milliseconds: number, spend: () => boolean = spendTime): number {
  let calls = 0;
  for (; calls < 1_000_000 && spend(); calls++) now += milliseconds;
  return calls;
}

test('a turn has 4 MiB', async () => {
  expect(spendTurn(4 * 1024 * 1024 - 1)).toBe(true);
  expect(spendTurn(0)).toBe(true);
  expect(spendTurn(1)).toBe(false);
  expect([spendTurn(0), spendTime()]).toEqual([false, false]);
  await nextTurn();
  expect(spendTurn(4 * 1024 * 1024 - 1)).toBe(true);
});

test('a turn has 5 ms', async () => {
  expect(callsOf(0.01)).toBeLessThanOrEqual(560);
  expect([spendTurn(0), spendTime()]).toEqual([false, false]);
  await nextTurn();
  expect(callsOf(0.01)).toBeGreaterThanOrEqual(500);
});

test('deliveries that are quick do not use up the turn, slow ones do', async () => {
  const deliver = (milliseconds: number) => () => {
    const start = now;
    now += milliseconds;
    return spendRead(start);
  };
  for (let deliveries = 0; deliveries < 1000; deliveries++) expect(deliver(0.05)()).toBe(true);
  expect([deliver(3)(), deliver(1.9)(), deliver(0.2)()]).toEqual([true, true, false]);
  expect(spendTime()).toBe(false);
  await nextTurn();
  expect(deliver(3)()).toBe(true);
});

test('the clock is read about ten times in a turn, however short the calls are', async () => {
  callsOf(0.001);
  await nextTurn();
  readings = 0;
  expect(callsOf(0.001)).toBeGreaterThanOrEqual(5_000);
  expect(readings).toBeLessThan(20);
});

test('when the calls take longer than before, no more than 16 of them pass before that is noticed', async () => {
  callsOf(0.001);
  await nextTurn();
  expect(callsOf(4)).toBeLessThanOrEqual(16);
  await nextTurn();
  expect(callsOf(4)).toBeLessThanOrEqual(3);
});

test('the clock is read at every large call', async () => {
  expect(callsOf(2, () => spendTurn(4096))).toBe(3);
  await nextTurn();
  expect(callsOf(6, () => spendTurn(4096))).toBe(1);
});

test('turns with a few small calls are not measured', async () => {
  await nextTurn();
  for (let turn = 0; turn < 80; turn++) {
    expect([spendTurn(64), spendTime()]).toEqual([true, true]);
    now += 1;
    await nextTurn();
  }
  expect(readings).toBeLessThan(80 / 2);
});

test('the time before the first call of a turn does not count', async () => {
  callsOf(1);
  await nextTurn();
  now += 1_000;
  expect(callsOf(1)).toBeGreaterThanOrEqual(4);
});
