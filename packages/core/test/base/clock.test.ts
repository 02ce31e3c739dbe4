// Time limits and durations when somebody sets the wall clock.
import { asyncScheduler } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { elapsedTime, hasVirtualTime } from '../../src/base/clock.js';
import { Deadline } from '../../src/base/deadline.js';

const HOUR = 3_600_000;
const wallClock = Date.now;

/** Sets the wall clock ahead, or back if `milliseconds` is negative. */
function setClockBy(milliseconds: number): void {
  vi.spyOn(Date, 'now').mockImplementation(() => wallClock() + milliseconds);
}

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([HOUR, -HOUR])('a step of the wall clock by %i ms does not change the elapsed time', (step) => {
  const before = elapsedTime(asyncScheduler);
  setClockBy(step);
  const elapsed = elapsedTime(asyncScheduler) - before;
  expect(elapsed).toBeGreaterThanOrEqual(0);
  expect(elapsed).toBeLessThan(HOUR / 2);
});

test('a deadline expires although the wall clock was set back', async () => {
  await new Promise<void>((resolve) => {
    new Deadline(asyncScheduler, 20, resolve).start();
    setClockBy(-HOUR);
  });
});

test('a deadline that was restarted does not expire early because the wall clock was set ahead', async () => {
  const started = performance.now();
  await new Promise<void>((resolve) => {
    const deadline = new Deadline(asyncScheduler, 200, resolve);
    deadline.start();
    setTimeout(() => {
      deadline.touch();
      setClockBy(HOUR);
    }, 100);
  });
  expect(performance.now() - started).toBeGreaterThanOrEqual(295);
});

test('with virtual time the clock is that of the scheduler', () => {
  const scheduler = new TestScheduler(() => {});
  scheduler.run(() => {
    expect(hasVirtualTime(asyncScheduler)).toBe(true);
    const before = elapsedTime(asyncScheduler);
    asyncScheduler.schedule(() => expect(elapsedTime(asyncScheduler) - before).toBe(HOUR), HOUR);
    scheduler.flush();
  });
});
