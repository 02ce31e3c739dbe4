// ByteSource: the bytes of one socket. A consumer that stops inside a chunk gives the rest back to the socket.
import type { Observable, Subscriber, TeardownLogic } from 'rxjs';
import type { Flow } from './flow.js';
import { Flowable } from './flowable.js';

/** Takes back bytes that a subscriber received and did not use. */
type Unread = (bytes: Uint8Array, subscriber: Subscriber<unknown>) => void;

export class ByteSource extends Flowable<Buffer> {
  /** Gives bytes back. `subscriber` is the one that received them from this Observable. */
  readonly unread: Unread;

  /**
   * Whether the bytes arrive in real time. If so, an operator may process a chunk in several turns of the event loop.
   */
  readonly isRealTime: boolean;

  constructor(
    subscribe: (subscriber: Subscriber<Buffer>) => TeardownLogic,
    flow: Flow,
    unread: Unread,
    isRealTime = false,
  ) {
    super(subscribe, flow);
    this.unread = unread;
    this.isRealTime = isRealTime;
  }
}

/** Gives unused bytes back to `source`. They are lost if `source` is not the plain bytes of a socket. */
export function unread(source: Observable<unknown>, bytes: Uint8Array, subscriber: Subscriber<unknown>): void {
  if (source instanceof ByteSource && bytes.length > 0) source.unread(bytes, subscriber);
}
