// What a reconnecting link tells: the events of one connection after another, and what lies between them.
import type { SocketError } from '../base/errors.js';
import type { CloseEvent, CloseReport, SocketEvent } from '../base/events.js';

/** A connection is over, or could not be made. Another one follows, unless the link itself ends. */
export interface DisconnectEvent {
  readonly type: 'disconnect';
  /** What it failed with; undefined where both sides had ended properly. */
  readonly error: SocketError | undefined;
  /** How it ended. `bytesUnsent` were given to it and never left: they are not sent again. */
  readonly report: CloseReport;
}

/** The next attempt is set. */
export interface RetryEvent {
  readonly type: 'retry';
  /** Which attempt it is since the last connection that lasted, from 1. */
  readonly attempt: number;
  /** How long until it is made, in milliseconds. */
  readonly delay: number;
}

/** A write was dropped, for `maxWriteBuffer` is full and `overflow` says so. */
export interface OverflowEvent {
  readonly type: 'overflow';
  /** How many bytes. */
  readonly bytes: number;
}

/** What a {@link ReconnectingSocket} tells: what its sockets do, with `disconnect` in place of `close`. */
export type ReconnectEvent = Exclude<SocketEvent, CloseEvent> | DisconnectEvent | RetryEvent | OverflowEvent;
