// The errors that a connection can fail with.
import type { Endpoint } from '../base/endpoint.js';
import {
  AbortedError,
  type ConnectAttempt,
  ConnectError,
  type ErrorPhase,
  MemoryBudgetError,
  ResetError,
  SocketError,
  SocketTimeoutError,
  WriteBufferOverflowError,
} from '../base/errors.js';
import { reasonText } from '../base/thrown.js';

/** The state of a connection when it fails. */
export interface Scene {
  /** The peer's name in messages. */
  readonly target: string;
  readonly opened: boolean;
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
}

const fieldsOf = ({ local, remote, opened }: Scene, phase: ErrorPhase) => ({
  local,
  remote,
  phase: opened ? phase : 'open',
});

export function abortedError(reason: unknown, scene: Scene): AbortedError {
  const message = `The connection to ${scene.target} was aborted from this side${reasonText(reason)}`;
  return new AbortedError(message, { ...fieldsOf(scene, 'close'), cause: reason });
}

/** @param what What happened: `was idle for`, `did not open within`. */
export function timeoutError(timeout: string, milliseconds: number, what: string, scene: Scene): SocketTimeoutError {
  const message = `The connection to ${scene.target} ${what} ${milliseconds} ms (${timeout})`;
  return new SocketTimeoutError(message, { ...fieldsOf(scene, 'read'), timeout, milliseconds });
}

export function overflowError(pending: number, limit: number, scene: Scene): WriteBufferOverflowError {
  const message =
    `${pending} bytes wait to be written to ${scene.target}, over maxWriteBuffer (${limit}): ` +
    `stop when next() returns false and go on at 'drain', or use writeTo()`;
  return new WriteBufferOverflowError(message, { ...fieldsOf(scene, 'write'), limit });
}

export function memoryBudgetError(pending: number, limit: number, scene: Scene): MemoryBudgetError {
  const message =
    `${pending} bytes wait to be written to ${scene.target}, and the memoryBudget(${limit}) is full: ` +
    `stop when next() returns false and go on at 'drain', or use writeTo(), or choose a larger budget`;
  return new MemoryBudgetError(message, { ...fieldsOf(scene, 'write'), limit });
}

/** A write failed because the peer does not read any more. */
export function writeError(cause: NodeJS.ErrnoException, scene: Scene): ResetError {
  const message = `${scene.target} stopped reading while bytes were written to it: ${cause.message}`;
  return new ResetError(message, { ...fieldsOf(scene, 'write'), code: cause.code ?? 'EPIPE', cause });
}

/** The open stream failed. */
export function streamError(cause: NodeJS.ErrnoException, scene: Scene): SocketError {
  const code = cause.code ?? 'EIO';
  const writing = cause.syscall === 'write' || cause.syscall === 'shutdown';
  const options = { ...fieldsOf(scene, writing ? 'write' : 'read'), code, cause };
  return code === 'ECONNRESET' || code === 'EPIPE'
    ? new ResetError(`${scene.target} reset the connection: ${cause.message}`, options)
    : new SocketError(`The connection to ${scene.target} failed: ${cause.message}`, options);
}

/** The error of a failed attempt. `hint` is there if the code alone would blame the peer for a fault of this side. */
export interface AttemptFailure extends NodeJS.ErrnoException {
  readonly hint?: string;
}

/**
 * The connection could not be opened.
 * @param failed The failed attempts, in the order of the `errors` of the cause if it has several.
 */
export function connectError(
  cause: AttemptFailure & { readonly address?: string; readonly port?: number },
  failed: readonly ConnectAttempt[],
  scene: Scene,
): ConnectError {
  const { code = 'EIO', address, port } = cause;
  const last = address === undefined || port === undefined ? [] : [{ address, port, code }];
  const attempts = failed.length > 0 ? failed : last;
  const causes: readonly AttemptFailure[] = cause instanceof AggregateError ? cause.errors : [cause];
  const described = attempts.map((attempt, index) => {
    const hint = causes[index]?.hint;
    return `${attempt.address} ${attempt.code}${hint === undefined ? '' : ` (${hint})`}`;
  });
  const detail = described.join(', ') || cause.message;
  return new ConnectError(`Cannot connect to ${scene.target}: ${detail}`, { code, phase: 'open', cause, attempts });
}

/** Other code destroyed the stream. */
export function destroyedError(scene: Scene): SocketError {
  const message = `The stream to ${scene.target} was destroyed before both sides had ended`;
  return new SocketError(message, { ...fieldsOf(scene, 'close'), code: 'ERR_STREAM_PREMATURE_CLOSE' });
}

/** A write came after the close. */
export function closedError(scene: Scene): SocketError {
  const options = { ...fieldsOf(scene, 'write'), code: 'ERR_SOCKET_CLOSED' };
  return new SocketError(`The connection to ${scene.target} is closed`, options);
}

/** A TLS stream ended without a close_notify. */
export function truncatedError(scene: Scene): SocketError {
  const message =
    `The TLS stream from ${scene.target} ended without a close_notify: what was received may be incomplete. ` +
    'An attacker cut it, or the peer closes without one';
  return new SocketError(message, { ...fieldsOf(scene, 'read'), code: 'ERR_TLS_TRUNCATED' });
}

export function upgradeError(why: string, code: string, scene: Scene): SocketError {
  const message = `The connection to ${scene.target} cannot be upgraded: ${why}`;
  return new SocketError(message, { ...fieldsOf(scene, 'open'), code });
}
