// The errors of singleInstance(), inheritedListeners() and handOver().
import type { Endpoint } from '../base/endpoint.js';
import { SocketError } from '../base/errors.js';

/**
 * Another instance of the program is running. `code` is `ERR_ALREADY_RUNNING`. If `delivered` is `false`, `cause` says
 * why it did not receive the arguments. Exit, or `retry` to wait until that instance ends.
 */
export class AlreadyRunningError extends SocketError {
  override readonly name = 'AlreadyRunningError';
  /** The process id of the first instance. */
  readonly pid: number;
  /** Whether the first instance has received the arguments of this one. */
  readonly delivered: boolean;

  constructor(
    message: string,
    options: {
      readonly pid: number;
      readonly delivered: boolean;
      readonly remote: Endpoint | undefined;
      readonly cause?: unknown;
    },
  ) {
    const { pid, delivered, ...rest } = options;
    super(message, { ...rest, code: 'ERR_ALREADY_RUNNING', phase: 'open' });
    this.pid = pid;
    this.delivered = delivered;
  }
}

/**
 * The address of {@link singleInstance} is in use, and the listener did not identify itself as the same program: it is
 * another program, or it does not answer. `code` is `ERR_FOREIGN_LISTENER`; `cause` says what went wrong. Choose
 * another port or path.
 */
export class ForeignListenerError extends SocketError {
  override readonly name = 'ForeignListenerError';

  constructor(message: string, options: { readonly remote?: Endpoint | undefined; readonly cause?: unknown } = {}) {
    super(message, { ...options, code: 'ERR_FOREIGN_LISTENER', phase: 'open' });
  }
}

/** The codes of {@link InheritedListenersError}. */
export type InheritedListenersErrorCode = 'ERR_LISTEN_FDS_INVALID' | 'ERR_LISTEN_FDS_MISSING';

/**
 * The inherited descriptors cannot be used. `code` is `ERR_LISTEN_FDS_INVALID` if they do not agree with the
 * environment variables, and `ERR_LISTEN_FDS_MISSING` if they are not the ones that `names` asks for: correct the unit
 * file, or the program that starts this one.
 */
export class InheritedListenersError extends SocketError {
  override readonly name = 'InheritedListenersError';
  declare readonly code: InheritedListenersErrorCode;

  constructor(message: string, options: { readonly code: InheritedListenersErrorCode }) {
    super(message, { ...options, phase: 'open' });
  }
}

/** The codes of {@link HandOverError}. */
export type HandOverErrorCode = 'ERR_HANDOVER_NO_DESCRIPTOR' | 'ERR_HANDOVER_FAILED';

/**
 * A server could not be handed over. The server keeps running. `code` is `ERR_HANDOVER_NO_DESCRIPTOR` if it has no
 * descriptor (it is not listening, or the process runs on Windows or is a worker of a cluster), and
 * `ERR_HANDOVER_FAILED` if the successor could not be started or ended before it was ready.
 */
export class HandOverError extends SocketError {
  override readonly name = 'HandOverError';
  declare readonly code: HandOverErrorCode;

  constructor(message: string, options: { readonly code: HandOverErrorCode; readonly cause?: unknown }) {
    super(message, { ...options, phase: 'open' });
  }
}
