// The events of a reconnecting socket: those of its connections, and those between two connections.
import type { SocketError } from '../base/errors.js';
import type { CloseEvent, CloseReport, SocketEvent } from '../base/events.js';

/**
 * A connection ended, or an attempt to connect failed. A `retry` follows, unless the reconnecting socket ends. Chunks
 * that no connection has received yet are kept, so a request is lost only if its `write()` has resolved or rejects:
 * these promises settle before or right after this event.
 */
export interface DisconnectEvent {
  readonly type: 'disconnect';
  /** The error of the connection; `undefined` if both sides ended with FIN. */
  readonly error: SocketError | undefined;
  /** How the connection ended. Its `bytesUnsent` are lost: they are not sent again. */
  readonly report: CloseReport;
}

/** The next attempt is scheduled. */
export interface RetryEvent {
  readonly type: 'retry';
  /** The number of the attempt since the last connection that stayed open for `resetAfter`, from 1. */
  readonly attempt: number;
  /** How long until the attempt, in milliseconds. */
  readonly delay: number;
}

/** A chunk was dropped because `maxWriteBuffer` was exceeded and `overflow` is `dropOldest` or `dropNewest`. */
export interface OverflowEvent {
  readonly type: 'overflow';
  /** The size of the chunk, in bytes. */
  readonly bytes: number;
}

/** The events of a {@link ReconnectingSocket}: those of its sockets, with `disconnect` instead of `close`. */
export type ReconnectEvent = Exclude<SocketEvent, CloseEvent> | DisconnectEvent | RetryEvent | OverflowEvent;
