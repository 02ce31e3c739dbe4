// data() of events that have passed an operator: it finds the bytes among them. Of a socket itself it is tested everywhere.
import { type CloseReport, connect, data, lines, reconnect, SocketError, type SocketEvent } from '@rxsock/core';
import { concat, of, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { isLocalDecision } from '../../src/base/local-decision.js';

const bytes = (text: string): SocketEvent => ({ type: 'data', data: Buffer.from(text) });
const close = (how: CloseReport['how']) => ({ type: 'close', report: { how } }) as SocketEvent;
const end: SocketEvent = { type: 'end' };
const drain: SocketEvent = { type: 'drain' };

test('emits the bytes of the data events, and completes at the end event', () => {
  const { log } = record(of(drain, bytes('a'), drain, bytes('b'), end, close('fin')).pipe(data()));
  expect(log).toEqual(['a', 'b', 'complete']);
});

describe('events that complete without an end event', () => {
  test.each([
    ['no close event', [], false],
    ['a reset', [close('reset')], false],
    ['a close of this side', [close('fin')], true],
  ])('are an error: %s', async (_, events, isOurDecision) => {
    const { log, ended } = record(of(bytes('a'), ...events).pipe(data()));
    expect(log).toEqual(['a', 'error:ERR_STREAM_PREMATURE_CLOSE']);
    const { error } = await ended;
    expect(error).toBeInstanceOf(SocketError);
    expect(isLocalDecision(error)).toBe(isOurDecision);
  });

  test('an event of another type is no close event', async () => {
    const other = { type: 'drain', report: { how: 'fin' } } as unknown as SocketEvent;
    const { error } = await record(of(other).pipe(data())).ended;
    expect(isLocalDecision(error)).toBe(false);
  });
});

test('passes the error of the events on', () => {
  const failing = concat(
    of(bytes('a')),
    throwError(() => new Error('broken')),
  );
  expect(record(failing.pipe(data())).log).toEqual(['a', 'error:Error: broken']);
});

test('refuses a reconnecting socket, and says what to write', () => {
  const reconnecting = reconnect(() => connect({ port: 7 }));
  expect(() => reconnecting.pipe(data() as never, lines())).toThrow(
    new TypeError(
      'data() would join the bytes of several connections: write reconnecting.eachConnection((bytes) => bytes.pipe(lines()))',
    ),
  );
});
