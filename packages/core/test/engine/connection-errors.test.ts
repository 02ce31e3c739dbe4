// The errors that a connection can fail with: their classes, codes, phases and words.
import { describe, expect, test } from 'vitest';
import {
  AbortedError,
  ConnectError,
  MemoryBudgetError,
  ResetError,
  SocketError,
  SocketTimeoutError,
  WriteBufferOverflowError,
} from '../../src/base/errors.js';
import {
  abortedError,
  closedError,
  connectError,
  destroyedError,
  memoryBudgetError,
  overflowError,
  streamError,
  timeoutError,
  truncatedError,
  upgradeError,
  writeError,
} from '../../src/engine/connection-errors.js';

const local = { address: '10.0.0.1', port: 4000, family: 'IPv4' } as const;
const remote = { address: '10.0.0.2', port: 25, family: 'IPv4' } as const;
const scene = { target: '10.0.0.2:25', opened: true, local, remote };
const failure = (message: string, fields: object = {}) => Object.assign(new Error(message), fields);
const epipe = failure('write EPIPE', { code: 'EPIPE', syscall: 'write' });
const HINT = "stop when next() returns false and go on at 'drain', or use writeTo()";

test.each([
  [
    'an abort',
    abortedError('enough', scene),
    { class: AbortedError, code: 'ERR_SOCKET_ABORTED', phase: 'close', cause: 'enough' },
    'The connection to 10.0.0.2:25 was aborted from this side: enough',
  ],
  [
    'a limit',
    timeoutError('idleTimeout', 500, 'was idle for', scene),
    { class: SocketTimeoutError, code: 'ETIMEDOUT', phase: 'read', timeout: 'idleTimeout', milliseconds: 500 },
    'The connection to 10.0.0.2:25 was idle for 500 ms (idleTimeout)',
  ],
  [
    'too much to write',
    overflowError(11, 10, scene),
    { class: WriteBufferOverflowError, code: 'ERR_WRITE_BUFFER_OVERFLOW', phase: 'write', limit: 10 },
    `11 bytes wait to be written to 10.0.0.2:25, over maxWriteBuffer (10): ${HINT}`,
  ],
  [
    'a full budget',
    memoryBudgetError(11, 10, scene),
    { class: MemoryBudgetError, code: 'ERR_MEMORY_BUDGET', phase: 'write', limit: 10 },
    `11 bytes wait to be written to 10.0.0.2:25, and the memoryBudget(10) is full: ${HINT}, or choose a larger budget`,
  ],
  [
    'a failed write',
    writeError(epipe, scene),
    { class: ResetError, code: 'EPIPE', phase: 'write', cause: epipe },
    '10.0.0.2:25 stopped reading while bytes were written to it: write EPIPE',
  ],
  [
    'another owner of the stream',
    destroyedError(scene),
    { class: SocketError, code: 'ERR_STREAM_PREMATURE_CLOSE', phase: 'close' },
    'The stream to 10.0.0.2:25 was destroyed before both sides had ended',
  ],
  [
    'a write after the close',
    closedError(scene),
    { class: SocketError, code: 'ERR_SOCKET_CLOSED', phase: 'write' },
    'The connection to 10.0.0.2:25 is closed',
  ],
  [
    'a cut of TLS',
    truncatedError(scene),
    { class: SocketError, code: 'ERR_TLS_TRUNCATED', phase: 'read' },
    'The TLS stream from 10.0.0.2:25 ended without a close_notify: what was received may be incomplete. An attacker ' +
      'cut it, or the peer closes without one',
  ],
  [
    'a refused upgrade',
    upgradeError('it is closed, not open', 'ERR_SOCKET_NOT_OPEN', scene),
    { class: SocketError, code: 'ERR_SOCKET_NOT_OPEN', phase: 'open' },
    'The connection to 10.0.0.2:25 cannot be upgraded: it is closed, not open',
  ],
])('%s', (_, error, { class: Class, ...fields }, message) => {
  expect(error.constructor).toBe(Class);
  expect(error).toMatchObject({ ...fields, local, remote });
  expect(error.message).toBe(message);
});

test('before the connection was open, the phase of each is `open`', () => {
  const opening = { ...scene, opened: false };
  const errors = [timeoutError('connectTimeout', 1, 'did not open within', opening), overflowError(2, 1, opening)];
  expect([...errors, closedError(opening)].map(({ phase }) => phase)).toEqual(['open', 'open', 'open']);
});

test('a failed write without a code has EPIPE', () => {
  expect(writeError(failure('gone'), scene).code).toBe('EPIPE');
});

describe('a stream that fails', () => {
  test.each([
    ['ECONNRESET', 'read', ResetError, 'read'],
    ['EPIPE', 'write', ResetError, 'write'],
    ['EPIPE', 'shutdown', ResetError, 'write'],
    ['ETIMEDOUT', 'read', SocketError, 'read'],
    ['EHOSTUNREACH', 'write', SocketError, 'write'],
    [undefined, undefined, SocketError, 'read'],
  ])('with %s at %s', (code, syscall, Class, phase) => {
    const cause = failure('it broke', { code, syscall });
    const error = streamError(cause, scene);
    expect(error.constructor).toBe(Class);
    expect(error).toMatchObject({ code: code ?? 'EIO', phase, cause, local, remote });
    const what = Class === ResetError ? '10.0.0.2:25 reset the connection' : 'The connection to 10.0.0.2:25 failed';
    expect(error.message).toBe(`${what}: it broke`);
  });
});

describe('a dial that fails', () => {
  const first = { address: '::1', port: 25, code: 'EADDRNOTAVAIL' };
  const second = { address: '127.0.0.1', port: 25, code: 'ECONNREFUSED' };

  test('lists its attempts, each with the hint of its own cause', () => {
    const causes = [failure('no', { hint: 'no IPv6 here' }), failure('refused')];
    const cause = Object.assign(new AggregateError(causes), { code: 'ECONNREFUSED' });
    const error = connectError(cause, [first, second], scene);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ code: 'ECONNREFUSED', phase: 'open', cause, attempts: [first, second] });
    expect(error.message).toBe(
      'Cannot connect to 10.0.0.2:25: ::1 EADDRNOTAVAIL (no IPv6 here), 127.0.0.1 ECONNREFUSED',
    );
  });

  test('more attempts than causes is no fault', () => {
    expect(connectError(failure('no', { code: 'X' }), [first, second], scene).message).toBe(
      'Cannot connect to 10.0.0.2:25: ::1 EADDRNOTAVAIL, 127.0.0.1 ECONNREFUSED',
    );
  });

  test.each([
    [second, [second], '127.0.0.1 ECONNREFUSED'],
    [{ ...second, address: undefined }, [], 'it failed'],
    [{ ...second, port: undefined }, [], 'it failed'],
  ])('without attempts, the cause is one if it has an address: %o', (fields, attempts, detail) => {
    const error = connectError(failure('it failed', fields), [], scene);
    expect(error).toMatchObject({ code: 'ECONNREFUSED', attempts });
    expect(error.message).toBe(`Cannot connect to 10.0.0.2:25: ${detail}`);
  });

  test('without a code it has EIO', () => {
    expect(connectError(failure('it failed'), [], scene).code).toBe('EIO');
  });
});
