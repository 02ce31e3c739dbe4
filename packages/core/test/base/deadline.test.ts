// A deadline that waits for progress: what its meter shows, at once and by a look.
import { VirtualClock } from '@rxsock/core/testing';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadline, type ProgressLook } from '../../src/base/deadline.js';

const LIMIT = 1000;

beforeEach(() => {
  // Not virtual time for the deadline: the scheduler follows the same clock as Date.
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A started deadline. Each look waits until the test answers it. */
function started(scheduler: SchedulerLike = asyncScheduler) {
  const expired = vi.fn();
  const looks: ((look: ProgressLook) => void)[] = [];
  const meter = {
    value: 0,
    read: () => meter.value,
    look: () => new Promise<ProgressLook>((resolve) => looks.push(resolve)),
  };
  const deadline = new Deadline(scheduler, LIMIT, expired, meter);
  deadline.start();
  /** Lets one limit pass, and answers the look that follows. */
  const passLimit = async (look?: ProgressLook) => {
    const before = looks.length;
    await vi.advanceTimersByTimeAsync(LIMIT);
    expect(looks).toHaveLength(before + 1);
    if (look) await answer(look);
  };
  const answer = async (look: ProgressLook) => {
    looks.at(-1)?.(look);
    await vi.advanceTimersByTimeAsync(0);
  };
  return { deadline, expired, looks, meter, passLimit, answer };
}

test('a deadline expires at its limit if nothing is unfinished', async () => {
  const { deadline, expired, passLimit } = started();
  await passLimit({ progress: 5, unfinished: false });
  expect(expired).toHaveBeenCalledOnce();
  expect(deadline.running).toBe(false);
});

test('a deadline expires one limit later if something is unfinished and makes no progress', async () => {
  const { expired, passLimit } = started();
  await passLimit({ progress: 5, unfinished: true });
  expect(expired).not.toHaveBeenCalled();
  await passLimit({ progress: 5, unfinished: true });
  expect(expired).toHaveBeenCalledOnce();
});

test('a deadline restarts while looks show progress, also when it finishes', async () => {
  const { expired, passLimit } = started();
  await passLimit({ progress: 5, unfinished: true });
  await passLimit({ progress: 6, unfinished: true });
  await passLimit({ progress: 7, unfinished: false });
  expect(expired).not.toHaveBeenCalled();
  await passLimit({ progress: 7, unfinished: false });
  expect(expired).toHaveBeenCalledOnce();
});

test('a smaller number is no progress', async () => {
  const { expired, meter, passLimit } = started();
  meter.value = -1;
  await passLimit({ progress: 5, unfinished: true });
  meter.value = -2;
  await passLimit({ progress: 4, unfinished: true });
  expect(expired).toHaveBeenCalledOnce();
});

test('a deadline restarts if the meter has grown, also during the look', async () => {
  const { expired, meter, passLimit, answer } = started();
  meter.value = 1;
  await passLimit({ progress: 1, unfinished: false });
  await passLimit();
  meter.value = 2;
  await answer({ progress: 1, unfinished: false });
  expect(expired).not.toHaveBeenCalled();
  await passLimit({ progress: 1, unfinished: false });
  expect(expired).toHaveBeenCalledOnce();
});

test('a deadline can be touched during the look: it keeps the full time', async () => {
  const { deadline, expired, looks, passLimit, answer } = started();
  await passLimit();
  expect(deadline.running).toBe(true);
  await vi.advanceTimersByTimeAsync(10);
  deadline.touch();
  await vi.advanceTimersByTimeAsync(10);
  await answer({ progress: 5, unfinished: false });
  await vi.advanceTimersByTimeAsync(LIMIT - 11);
  expect(looks).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(looks).toHaveLength(2);
  expect(expired).not.toHaveBeenCalled();
});

test('what a look showed before a touch does not count', async () => {
  const { deadline, expired, passLimit } = started();
  await passLimit({ progress: 5, unfinished: true });
  deadline.touch();
  await passLimit({ progress: 6, unfinished: false });
  expect(expired).toHaveBeenCalledOnce();
});

test('a deadline can be stopped during the look, and started again', async () => {
  const { deadline, expired, passLimit, answer } = started();
  await passLimit();
  deadline.stop();
  expect(deadline.running).toBe(false);
  deadline.start();
  await answer({ progress: 5, unfinished: false });
  expect(deadline.running).toBe(true);
  expect(expired).not.toHaveBeenCalled();
  await passLimit({ progress: 5, unfinished: false });
  expect(expired).toHaveBeenCalledOnce();
});

test('a limit longer than the longest timer is no reason for a warning', () => {
  vi.useRealTimers();
  const warned = vi.spyOn(process, 'emitWarning');
  const deadline = new Deadline(asyncScheduler, 3_000_000_000, () => {});
  deadline.start();
  deadline.stop();
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
});

test('a deadline does not look in virtual time: the meter decides at once', () => {
  const clock = new VirtualClock();
  const { expired, looks, meter } = started(clock);
  meter.value = 1;
  clock.tick(LIMIT);
  expect(expired).not.toHaveBeenCalled();
  clock.tick(LIMIT);
  expect(expired).toHaveBeenCalledOnce();
  expect(looks).toHaveLength(0);
});
