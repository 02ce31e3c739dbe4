// Tests with every fault that a runtime may show. runtimes.test.ts expects what is reported about them.
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';

let finished: string[] = [];

describe('a group', () => {
  afterEach(() => void finished.push('afterEach'));

  test('passes', () => {
    onTestFinished(() => void finished.push('onTestFinished'));
    expect({ one: [1, 2], two: 'three' }).toMatchObject({ one: [1, expect.any(Number)] });
  });

  test.each(['case', 'other case'])('ran the hooks of the test before: %s', () => {
    expect(finished).toContain('afterEach');
    finished = finished.filter((name) => name !== 'onTestFinished');
  });
});

test('fails', () => expect(1).toBe(2));

test('never ends', () => new Promise(() => {}), 50);

test('loses an error', async () => {
  void Promise.reject(new Error('lost'));
  await new Promise(setImmediate);
});

test('polls', () => expect.poll(() => performance.now()).toBeGreaterThan(0));

test('ends the process', () => process.exit(3));

test('blocks the process', () => {
  for (;;);
});

test('runs after all that', () => expect(() => process.exit).not.toThrow());
