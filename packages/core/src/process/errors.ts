// The errors of what concerns a whole process: one instance of it, the listeners that it inherits and hands over.
import type { Endpoint } from '../base/endpoint.js';
import { SocketError } from '../base/errors.js';

/**
 * Another instance of the program runs. `code` is `ERR_ALREADY_RUNNING`. Where it could not take the arguments, `cause` tells
 * why.
 */
export class AlreadyRunningError extends SocketError {
  override readonly name = 'AlreadyRunningError';
  /** The number of its process. */
  readonly pid: number;
  /** Whether it has taken the arguments of this one. */
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
 * The address by which an instance would be known is in use, and not by this program: another program has it, or what has
 * it does not answer. `code` is `ERR_FOREIGN_LISTENER`.
 */
export class ForeignListenerError extends SocketError {
  override readonly name = 'ForeignListenerError';

  constructor(message: string, options: { readonly remote?: Endpoint | undefined; readonly cause?: unknown } = {}) {
    super(message, { ...options, code: 'ERR_FOREIGN_LISTENER', phase: 'open' });
  }
}

/** Why {@link inheritedListeners} finds other descriptors than it should. */
export type InheritedListenersErrorCode = 'ERR_LISTEN_FDS_INVALID' | 'ERR_LISTEN_FDS_MISSING';

/**
 * The descriptors that this process has inherited are not what it was told, `ERR_LISTEN_FDS_INVALID`, or not those that it
 * asks for, `ERR_LISTEN_FDS_MISSING`.
 */
export class InheritedListenersError extends SocketError {
  override readonly name = 'InheritedListenersError';
  declare readonly code: InheritedListenersErrorCode;

  constructor(message: string, options: { readonly code: InheritedListenersErrorCode }) {
    super(message, { ...options, phase: 'open' });
  }
}

/** Why a server could not be handed over. */
export type HandOverErrorCode = 'ERR_HANDOVER_NO_DESCRIPTOR' | 'ERR_HANDOVER_FAILED';

/**
 * A server could not be handed over, and goes on. `code` is `ERR_HANDOVER_NO_DESCRIPTOR` (it does not listen, or there are no
 * descriptors: on Windows, in a worker of a cluster) or `ERR_HANDOVER_FAILED` (the successor ended before it was ready).
 */
export class HandOverError extends SocketError {
  override readonly name = 'HandOverError';
  declare readonly code: HandOverErrorCode;

  constructor(message: string, options: { readonly code: HandOverErrorCode; readonly cause?: unknown }) {
    super(message, { ...options, phase: 'open' });
  }
}
