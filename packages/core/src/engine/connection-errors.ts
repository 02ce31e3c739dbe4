// The errors a connection can end with, and their words.
import type { Endpoint } from '../base/endpoint.js';
import {
  AbortedError,
  type ConnectAttempt,
  ConnectError,
  type ErrorPhase,
  ResetError,
  SocketError,
  SocketTimeoutError,
  WriteBufferOverflowError,
} from '../base/errors.js';

/** Where a connection stands when it fails. */
export interface Scene {
  readonly target: string;
  readonly opened: boolean;
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
}

const at = ({ local, remote, opened }: Scene, phase: ErrorPhase) => ({
  local,
  remote,
  phase: opened ? phase : 'open',
});

export function abortedError(reason: unknown, scene: Scene): AbortedError {
  const why = reason instanceof Error ? `: ${reason.message}` : '';
  return new AbortedError(`The connection to ${scene.target} was aborted from this side${why}`, {
    ...at(scene, 'close'),
    cause: reason,
  });
}

/** @param what What did not happen in time. */
export function timeoutError(timeout: string, milliseconds: number, what: string, scene: Scene): SocketTimeoutError {
  const message = `${what} for ${milliseconds} ms, the ${timeout} of the connection to ${scene.target}`;
  return new SocketTimeoutError(message, { ...at(scene, 'read'), timeout, milliseconds });
}

export function overflowError(waiting: number, limit: number, scene: Scene): WriteBufferOverflowError {
  const message =
    `${waiting} bytes wait to be written to ${scene.target}, over maxWriteBuffer (${limit}): ` +
    `stop when next() answers false and go on at 'drain', or use writeTo()`;
  return new WriteBufferOverflowError(message, { ...at(scene, 'write'), limit });
}

/** A write met a peer that listens no more. */
export function writeError(cause: NodeJS.ErrnoException, scene: Scene): ResetError {
  const message = `${scene.target} stopped listening while bytes were written to it: ${cause.message}`;
  return new ResetError(message, { ...at(scene, 'write'), code: cause.code ?? 'EPIPE', cause });
}

/** The open stream failed. */
export function streamError(cause: NodeJS.ErrnoException, scene: Scene): SocketError {
  const code = cause.code ?? 'EIO';
  const writing = cause.syscall === 'write' || cause.syscall === 'shutdown';
  const options = { ...at(scene, writing ? 'write' : 'read'), code, cause };
  return code === 'ECONNRESET' || code === 'EPIPE'
    ? new ResetError(`${scene.target} reset the connection: ${cause.message}`, options)
    : new SocketError(`The connection to ${scene.target} failed: ${cause.message}`, options);
}

/** No connection came about. */
export function connectError(
  cause: NodeJS.ErrnoException & { readonly address?: string; readonly port?: number },
  tried: readonly ConnectAttempt[],
  scene: Scene,
): ConnectError {
  const { code = 'EIO', address, port } = cause;
  const last = address === undefined || port === undefined ? [] : [{ address, port, code }];
  const attempts = tried.length > 0 ? tried : last;
  const detail = attempts.map((attempt) => `${attempt.address} ${attempt.code}`).join(', ') || cause.message;
  return new ConnectError(`Cannot connect to ${scene.target}: ${detail}`, { code, phase: 'open', cause, attempts });
}

/** Somebody else destroyed the stream. */
export function destroyedError(scene: Scene): SocketError {
  const message = `The stream to ${scene.target} was destroyed before both sides had ended`;
  return new SocketError(message, { ...at(scene, 'close'), code: 'ERR_STREAM_PREMATURE_CLOSE' });
}

/** For writes that come when all is over. */
export function closedError(scene: Scene): SocketError {
  const options = { ...at(scene, 'write'), code: 'ERR_SOCKET_CLOSED' };
  return new SocketError(`The connection to ${scene.target} is closed`, options);
}

/** A secure stream whose end nobody has announced. */
export function truncatedError(scene: Scene): SocketError {
  const message =
    `The TLS stream from ${scene.target} was cut: it ended without a close_notify, so what came may be a part, ` +
    'by an attacker or by a peer that closes without it';
  return new SocketError(message, { ...at(scene, 'read'), code: 'ERR_TLS_TRUNCATED' });
}

/** The stream cannot go to somebody else. */
export function upgradeError(why: string, code: string, scene: Scene): SocketError {
  return new SocketError(`The connection to ${scene.target} cannot be upgraded: ${why}`, {
    ...at(scene, 'open'),
    code,
  });
}
