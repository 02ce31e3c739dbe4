// Every error that rxsock raises: one base class with a stable `code`, and a subclass where a caller would branch.
import type { Endpoint } from './endpoint.js';

/** What the socket was doing when it failed. */
export type ErrorPhase = 'open' | 'read' | 'write' | 'close';

/** The fields of a {@link SocketError} beside its message. */
export interface SocketErrorOptions {
  /** Node's own code (`ECONNREFUSED`) where there is one, else one of ours (`ERR_…`). */
  readonly code: string;
  readonly phase: ErrorPhase;
  readonly local?: Endpoint | undefined;
  readonly remote?: Endpoint | undefined;
  /** The error beneath this one. */
  readonly cause?: unknown;
}

/** The base of every error that a socket, a server or an operator of this library raises. */
export class SocketError extends Error {
  override readonly name: string = 'SocketError';
  /** Node's own code (`ECONNREFUSED`) where there is one, else one of ours (`ERR_…`). Stable: branch on it. */
  readonly code: string;
  readonly phase: ErrorPhase;
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;

  constructor(message: string, options: SocketErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.phase = options.phase;
    this.local = options.local;
    this.remote = options.remote;
  }
}

/** One address that was tried while connecting, and how it failed. */
export interface ConnectAttempt {
  readonly address: string;
  readonly port: number;
  readonly code: string;
}

/** No connection came about. `attempts` lists every address that was tried; it is empty when the name did not resolve. */
export class ConnectError extends SocketError {
  override readonly name = 'ConnectError';
  readonly attempts: readonly ConnectAttempt[];

  constructor(message: string, options: SocketErrorOptions & { readonly attempts: readonly ConnectAttempt[] }) {
    super(message, options);
    this.attempts = options.attempts;
  }
}

/** A time limit passed. `code` is `ETIMEDOUT`; `timeout` is the name of the option that set the limit. */
export class SocketTimeoutError extends SocketError {
  override readonly name = 'SocketTimeoutError';
  /** The option whose limit passed, for example `connectTimeout`. */
  readonly timeout: string;
  /** The limit that passed, in milliseconds. */
  readonly milliseconds: number;

  constructor(
    message: string,
    options: Omit<SocketErrorOptions, 'code'> & { readonly timeout: string; readonly milliseconds: number },
  ) {
    super(message, { ...options, code: 'ETIMEDOUT' });
    this.timeout = options.timeout;
    this.milliseconds = options.milliseconds;
  }
}

/** The peer reset the connection. `code` is Node's: `ECONNRESET` or `EPIPE`. */
export class ResetError extends SocketError {
  override readonly name = 'ResetError';
}

/** The connection was aborted from this side, by `error()`, a signal or a cut transfer. `code` is `ERR_SOCKET_ABORTED`. */
export class AbortedError extends SocketError {
  override readonly name = 'AbortedError';

  constructor(message: string, options: Omit<SocketErrorOptions, 'code'>) {
    super(message, { ...options, code: 'ERR_SOCKET_ABORTED' });
  }
}

/** More bytes wait to be written than `maxWriteBuffer` allows. `code` is `ERR_WRITE_BUFFER_OVERFLOW`. */
export class WriteBufferOverflowError extends SocketError {
  override readonly name = 'WriteBufferOverflowError';
  /** The limit, in bytes. */
  readonly limit: number;

  constructor(message: string, options: Omit<SocketErrorOptions, 'code'> & { readonly limit: number }) {
    super(message, { ...options, code: 'ERR_WRITE_BUFFER_OVERFLOW' });
    this.limit = options.limit;
  }
}

/** A queue between a source that cannot be held and a slow consumer is full. `code` is `ERR_BACKPRESSURE_OVERFLOW`. */
export class BackpressureOverflowError extends SocketError {
  override readonly name = 'BackpressureOverflowError';
  /** How many values the queue takes. */
  readonly limit: number;

  constructor(message: string, options: { readonly limit: number }) {
    super(message, { phase: 'read', code: 'ERR_BACKPRESSURE_OVERFLOW' });
    this.limit = options.limit;
  }
}

/**
 * The base of every error about the bytes of a frame. By itself: a frame that is not well formed, `ERR_FRAME_MALFORMED`.
 * `phase` is `read` where a decoder raised it, and `write` where an encoder refused a value that its own decoder would
 * not give back.
 */
export class FrameError extends SocketError {
  override readonly name: string = 'FrameError';

  constructor(
    message: string,
    options: { readonly code?: string; readonly phase?: 'read' | 'write'; readonly cause?: unknown } = {},
  ) {
    super(message, {
      phase: options.phase ?? 'read',
      code: options.code ?? 'ERR_FRAME_MALFORMED',
      cause: options.cause,
    });
  }
}

/** A frame is longer than its limit. `code` is `ERR_FRAME_TOO_LONG`. */
export class FrameTooLongError extends FrameError {
  override readonly name = 'FrameTooLongError';
  /** The most payload a frame may have, in bytes. */
  readonly limit: number;

  constructor(message: string, options: { readonly limit: number; readonly phase?: 'read' | 'write' }) {
    super(message, { ...options, code: 'ERR_FRAME_TOO_LONG' });
    this.limit = options.limit;
  }
}

/** The input ended inside a frame. `code` is `ERR_FRAME_TRUNCATED`. */
export class TruncatedFrameError extends FrameError {
  override readonly name = 'TruncatedFrameError';
  /** How many bytes of the unfinished frame had arrived. */
  readonly buffered: number;

  constructor(message: string, options: { readonly buffered: number }) {
    super(message, { code: 'ERR_FRAME_TRUNCATED' });
    this.buffered = options.buffered;
  }
}

/** A line is not valid JSON. `code` is `ERR_FRAME_MALFORMED`, `cause` the parser's own error. */
export class JsonLineError extends FrameError {
  override readonly name = 'JsonLineError';
  /** The number of the line, from 1. */
  readonly line: number;

  constructor(message: string, options: { readonly line: number; readonly cause: unknown }) {
    super(message, options);
    this.line = options.line;
  }
}
