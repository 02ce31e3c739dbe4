// How a connection ends, by itself: who is told, and in which order.
import { expect, test } from 'vitest';
import { SocketError } from '../../src/base/errors.js';
import type { CloseReport } from '../../src/base/events.js';
import { Outcome } from '../../src/engine/outcome.js';

const bytes = { bytesRead: 1, bytesWritten: 2, bytesUnsent: 3, duration: 4 };

test('all listeners are called, in the order in which they came, and later ones at once', () => {
  const outcome = new Outcome();
  const calls: [string, CloseReport][] = [];
  const listener = (name: string) => (report: CloseReport) => calls.push([name, report]);
  outcome.afterClose(listener('first'));
  outcome.afterClose({ connectionClosed: listener('second') });
  outcome.afterClose(listener('third'));
  outcome.notifyClosed();
  expect(calls).toEqual([]);
  const report = outcome.conclude(bytes);
  expect(calls).toEqual([]);
  outcome.notifyClosed();
  outcome.afterClose(listener('late'));
  expect(calls).toEqual(['first', 'second', 'third', 'late'].map((name) => [name, report]));
});

test('the first failure decides, before whatever ended the connection', () => {
  const outcome = new Outcome();
  const [first, second] = ['first', 'second'].map((message) => new SocketError(message, { code: 'X', phase: 'read' }));
  outcome.endedBy('peer', 'fin');
  outcome.endedBy('local', 'fin');
  expect(outcome.how).toBe('fin');
  expect(outcome.failWith(first!, 'peer', 'reset')).toBe(true);
  expect(outcome.failWith(second!, 'local', 'abort')).toBe(false);
  expect(outcome.failure).toBe(first);
  expect(outcome.conclude(bytes)).toEqual({ by: 'peer', how: 'reset', ...bytes });
});

test('a connection that nothing has ended was aborted by this side', () => {
  expect(new Outcome().conclude(bytes)).toEqual({ by: 'local', how: 'abort', ...bytes });
});
