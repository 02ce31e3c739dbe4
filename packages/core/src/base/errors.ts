// The errors of sockets, framing and backpressure: a base class with a stable `code`, and subclasses for the errors
// that callers tell apart.
import { type InspectOptions, inspect } from 'node:util';
import { type Endpoint, formatEndpoint } from './endpoint.js';

/** What the socket was doing when it failed. */
export type ErrorPhase = 'open' | 'read' | 'write' | 'close';

/** The fields of a {@link SocketError}, apart from its message. */
export interface SocketErrorOptions {
  /** Node's code (`ECONNREFUSED`) if there is one, otherwise a code of this library (`ERR_…`). */
  readonly code: string;
  readonly phase: ErrorPhase;
  readonly local?: Endpoint | undefined;
  readonly remote?: Endpoint | undefined;
  /** The error that caused this one. */
  readonly cause?: unknown;
}

/** The base class of all errors of this library, apart from the TypeErrors and RangeErrors for invalid arguments. */
export class SocketError extends Error {
  override readonly name: string = 'SocketError';
  /**
   * Node's code (`ECONNREFUSED`) if there is one, otherwise a code of this library (`ERR_…`). Codes are stable: compare
   * them instead of messages.
   */
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

/** One failed attempt to connect to an address. */
export interface ConnectAttempt {
  readonly address: string;
  readonly port: number;
  readonly code: string;
}

/**
 * The connection could not be opened. `code` is Node's (`ECONNREFUSED`, `ENOTFOUND`, …). `attempts` lists every address
 * that was tried. It is empty if the name did not resolve.
 */
export class ConnectError extends SocketError {
  override readonly name = 'ConnectError';
  readonly attempts: readonly ConnectAttempt[];

  constructor(message: string, options: SocketErrorOptions & { readonly attempts: readonly ConnectAttempt[] }) {
    super(message, options);
    this.attempts = options.attempts;
  }
}

/** A time limit has passed. `code` is `ETIMEDOUT`. `timeout` is the name of the option that set the limit. */
export class SocketTimeoutError extends SocketError {
  override readonly name = 'SocketTimeoutError';
  /** The option whose limit has passed, for example `connectTimeout`. */
  readonly timeout: string;
  /** The limit that has passed, in milliseconds. */
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

/** The peer reset the connection, or stopped reading. `code` is Node's: `ECONNRESET` or `EPIPE`. */
export class ResetError extends SocketError {
  override readonly name = 'ResetError';
}

/**
 * This side aborted the connection: by `error()`, by its signal, or because a transfer was not complete. `code` is
 * `ERR_SOCKET_ABORTED`. `cause` is the reason of the abort: for a signal, the signal's `reason`.
 */
export class AbortedError extends SocketError {
  override readonly name = 'AbortedError';

  constructor(message: string, options: Omit<SocketErrorOptions, 'code'>) {
    super(message, { ...options, code: 'ERR_SOCKET_ABORTED' });
  }
}

/**
 * More bytes wait to be written than `maxWriteBuffer` allows. `code` is `ERR_WRITE_BUFFER_OVERFLOW`. Stop writing when
 * `next()` returns `false`, and go on at `drain`.
 */
export class WriteBufferOverflowError extends SocketError {
  override readonly name = 'WriteBufferOverflowError';
  /** The limit, in bytes. */
  readonly limit: number;

  constructor(message: string, options: Omit<SocketErrorOptions, 'code'> & { readonly limit: number }) {
    super(message, { ...options, code: 'ERR_WRITE_BUFFER_OVERFLOW' });
    this.limit = options.limit;
  }
}

/**
 * The {@link memoryBudget} of the socket is full, and of all its sockets this one had the most to write. `code` is
 * `ERR_MEMORY_BUDGET`. Stop writing when `next()` returns `false`, and go on at `drain`.
 */
export class MemoryBudgetError extends SocketError {
  override readonly name = 'MemoryBudgetError';
  /** The limit of the budget, in bytes. */
  readonly limit: number;

  constructor(message: string, options: Omit<SocketErrorOptions, 'code'> & { readonly limit: number }) {
    super(message, { ...options, code: 'ERR_MEMORY_BUDGET' });
    this.limit = options.limit;
  }
}

/**
 * A queue between a slow consumer and a source that cannot be held is full. `code` is `ERR_BACKPRESSURE_OVERFLOW`. Make
 * the source holdable with `flowFrom`, or choose an `overflow` policy.
 */
export class BackpressureOverflowError extends SocketError {
  override readonly name = 'BackpressureOverflowError';
  /** The limit of the queue, in values or in bytes. */
  readonly limit: number;

  constructor(message: string, options: { readonly limit: number }) {
    super(message, { phase: 'read', code: 'ERR_BACKPRESSURE_OVERFLOW' });
    this.limit = options.limit;
  }
}

/**
 * The base class of all errors about frames. An error of this class itself is about a malformed frame:
 * `ERR_FRAME_MALFORMED`. `phase` is `read` if a decoder threw it. It is `write` if an encoder refused a value that its
 * own decoder would not return. Over the bytes of a socket, `local` and `remote` are its ends.
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

  /**
   * @internal One line for logs if the peer's bytes are at fault: the stack leads into the decoder only. Without what a
   * parser says, which quotes the bytes. An encoder's error shows the stack, with the value's way to it.
   */
  [inspect.custom](depth: number | null, options: InspectOptions): unknown {
    if (this.phase !== 'read') return this;
    const { name, code, phase, local, remote, message, cause, ...rest } = this;
    const why = cause instanceof SyntaxError ? message.replace(`: ${cause.message}`, '') : message;
    const peer = remote ? ` from ${formatEndpoint(remote)}` : '';
    const line = `${name} ${code}${peer}: ${why}`;
    const isAsked = options.depth !== inspect.defaultOptions.depth && (depth === null || depth > 0);
    return isAsked ? `${line} ${inspect({ phase, local, remote, ...rest }, { ...options, depth })}` : line;
  }
}

/** A frame is longer than the limit. `code` is `ERR_FRAME_TOO_LONG`. */
export class FrameTooLongError extends FrameError {
  override readonly name = 'FrameTooLongError';
  /** The longest payload that is allowed, in bytes. */
  readonly limit: number;

  constructor(message: string, options: { readonly limit: number; readonly phase?: 'read' | 'write' }) {
    super(message, { ...options, code: 'ERR_FRAME_TOO_LONG' });
    this.limit = options.limit;
  }
}

/** The input ended inside a frame. `code` is `ERR_FRAME_TRUNCATED`. */
export class TruncatedFrameError extends FrameError {
  override readonly name = 'TruncatedFrameError';
  /** How many bytes of the unfinished frame have arrived. */
  readonly buffered: number;

  constructor(message: string, options: { readonly buffered: number }) {
    super(message, { code: 'ERR_FRAME_TRUNCATED' });
    this.buffered = options.buffered;
  }
}

/** A line is not valid JSON. `code` is `ERR_FRAME_MALFORMED`, and `cause` is the error of the parser. */
export class JsonLineError extends FrameError {
  override readonly name = 'JsonLineError';
  /** The number of the line, counted from 1. */
  readonly line: number;

  constructor(message: string, options: { readonly line: number; readonly cause: unknown }) {
    super(message, options);
    this.line = options.line;
  }
}
