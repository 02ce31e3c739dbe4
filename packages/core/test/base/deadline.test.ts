// A deadline that waits for progress: what its meter shows, at once and by a look.
import { VirtualClock } from '@rxsock/core/testing';
import { asyncScheduler, type SchedulerLike, Subscription } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
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

describe('a paused deadline', () => {
  /** A deadline on virtual time, of which 400 ms have passed. */
  function running() {
    const clock = new VirtualClock();
    const { deadline, expired, meter } = started(clock);
    clock.tick(400);
    /** Lets time pass until just before the deadline expires, and then until it does. */
    const expectToExpireIn = (milliseconds: number) => {
      expired.mockClear();
      clock.tick(milliseconds - 1);
      expect(expired).not.toHaveBeenCalled();
      clock.tick(1);
      expect(expired).toHaveBeenCalledOnce();
    };
    return { clock, deadline, expired, meter, expectToExpireIn };
  }

  test('stands still without a timer, and run() goes on with the time that is left', () => {
    const { clock, deadline, expired, expectToExpireIn } = running();
    deadline.pause();
    expect([deadline.running, clock.actions]).toEqual([false, []]);
    clock.tick(10_000);
    expect(expired).not.toHaveBeenCalled();
    deadline.run();
    expect(deadline.running).toBe(true);
    expectToExpireIn(600);
  });

  test('does not get more time from many pauses', () => {
    const { clock, deadline, expectToExpireIn } = running();
    for (let pauses = 0; pauses < 50; pauses++) {
      deadline.pause();
      clock.tick(5000);
      deadline.run();
      clock.tick(10);
    }
    expectToExpireIn(100);
  });

  test('keeps the time that was left at the first of two pauses', () => {
    const { clock, deadline, expectToExpireIn } = running();
    deadline.pause();
    clock.tick(300);
    deadline.pause();
    deadline.run();
    expectToExpireIn(600);
  });

  test.each(['touch', 'start'] as const)('gets the full time from %s()', (restart) => {
    const { clock, deadline, expectToExpireIn } = running();
    deadline.pause();
    deadline[restart]();
    expect(clock.actions).toHaveLength(restart === 'start' ? 1 : 0);
    deadline.run();
    expectToExpireIn(LIMIT);
  });

  test('forgets the time that was left at stop()', () => {
    const { deadline, expectToExpireIn } = running();
    deadline.pause();
    deadline.stop();
    deadline.run();
    expectToExpireIn(LIMIT);
  });

  test.each([
    ['run', 600],
    ['start', LIMIT],
  ] as const)('forgets the time that was left when %s() has let it expire', (goOn, left) => {
    const { deadline, expectToExpireIn } = running();
    deadline.pause();
    deadline[goOn]();
    expectToExpireIn(left);
    deadline.run();
    expectToExpireIn(LIMIT);
  });

  test('counts the progress of its meter during the pause', () => {
    const { clock, deadline, expired, meter, expectToExpireIn } = running();
    deadline.pause();
    meter.value = 1;
    deadline.run();
    clock.tick(600);
    expect(expired).not.toHaveBeenCalled();
    expectToExpireIn(LIMIT);
  });
});

test('run() leaves a deadline that is running its time', () => {
  const clock = new VirtualClock();
  const { deadline, expired } = started(clock);
  clock.tick(400);
  deadline.run();
  expect(clock.actions).toHaveLength(1);
  clock.tick(600);
  expect(expired).toHaveBeenCalledOnce();
});

test('pause() changes nothing for a deadline that was stopped: run() starts it with the full time', () => {
  const clock = new VirtualClock();
  const { deadline, expired } = started(clock);
  clock.tick(400);
  deadline.stop();
  deadline.pause();
  expect(deadline.running).toBe(false);
  deadline.run();
  clock.tick(LIMIT - 1);
  expect(expired).not.toHaveBeenCalled();
  clock.tick(1);
  expect(expired).toHaveBeenCalledOnce();
});

test('a deadline can be paused during the look, whose answer does not count: the next look follows run()', async () => {
  const { deadline, expired, looks, passLimit, answer } = started();
  await passLimit();
  deadline.pause();
  expect(deadline.running).toBe(false);
  await answer({ progress: 5, unfinished: false });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looks).toHaveLength(1);
  expect(expired).not.toHaveBeenCalled();
  deadline.run();
  await vi.advanceTimersByTimeAsync(1);
  expect(looks).toHaveLength(2);
  await answer({ progress: 5, unfinished: false });
  expect(expired).toHaveBeenCalledOnce();
});

test.each([0, Number.POSITIVE_INFINITY])('a limit of %j starts no timer', (milliseconds) => {
  const clock = new VirtualClock();
  const deadline = new Deadline(clock, milliseconds, () => {});
  for (const method of ['run', 'pause', 'run', 'touch', 'run', 'start'] as const) deadline[method]();
  expect([deadline.running, clock.actions]).toEqual([false, []]);
});

describe('a timer that is late because the event loop was blocked', () => {
  /** A deadline on the real clock, whose timer fires when the test says so. */
  function late(milliseconds: number) {
    vi.useRealTimers();
    const delays: number[] = [];
    let fire = () => {};
    const scheduler = {
      now: () => Date.now(),
      schedule: (work: () => void, delay: number) => {
        fire = work;
        delays.push(delay);
        return new Subscription();
      },
    } as SchedulerLike;
    const expired = vi.fn();
    const deadline = new Deadline(scheduler, milliseconds, expired);
    deadline.start();
    const fireAfter = (blocked: number) => {
      block(blocked);
      fire();
    };
    return { deadline, expired, delays, fireAfter };
  }

  function block(milliseconds: number): void {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  }

  test('waits once more, for as long as it was late, for what has arrived meanwhile', () => {
    const { deadline, expired, delays, fireAfter } = late(100);
    fireAfter(130);
    expect(expired).not.toHaveBeenCalled();
    expect(deadline.running).toBe(true);
    expect(delays[1]).toBeGreaterThanOrEqual(30);
    expect(delays[1]).toBeLessThanOrEqual(100);
    fireAfter(50);
    expect(expired).toHaveBeenCalledOnce();
    expect(delays).toHaveLength(2);
  });

  test('waits no longer than its limit, and again after a restart', () => {
    const { deadline, expired, delays, fireAfter } = late(20);
    fireAfter(80);
    deadline.touch();
    fireAfter(80);
    expect(expired).not.toHaveBeenCalled();
    expect(delays).toEqual([20, 20, 20]);
    fireAfter(0);
    expect(expired).toHaveBeenCalledOnce();
  });
});
