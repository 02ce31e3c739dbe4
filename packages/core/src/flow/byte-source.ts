// ByteSource: the bytes of one socket. A consumer that stops inside a chunk gives the rest back to the socket.
import { asyncScheduler, type Observable, type SchedulerLike, type Subscriber } from 'rxjs';
import type { Endpoints } from '../base/endpoint.js';
import { FrameError } from '../base/errors.js';
import { Flowable, OriginOperator } from './flowable.js';
import type { Holds } from './holds.js';

/** What the bytes come from: a connection. */
interface ByteOrigin {
  readonly flow: Holds;
  readonly limits: { readonly scheduler: SchedulerLike };
  /** Both ends of the connection. */
  readonly opening: Endpoints;
  /** Delivers the bytes, and completes at the peer's FIN. */
  subscribe(subscriber: Subscriber<never>, type: 'bytes'): void;
  /** Takes back bytes that a subscriber received and did not use. */
  unread(bytes: Uint8Array, subscriber: Subscriber<unknown>): void;
}

const BYTES = new OriginOperator<ByteOrigin, Buffer>((origin, subscriber) =>
  origin.subscribe(subscriber as Subscriber<never>, 'bytes'),
);

export class ByteSource extends Flowable<Buffer> {
  readonly #origin: ByteOrigin;

  constructor(origin: ByteOrigin) {
    super(undefined, origin.flow);
    BYTES.apply(this, origin);
    this.#origin = origin;
  }

  /** Gives bytes back. `subscriber` is the one that received them from this Observable. */
  unread(bytes: Uint8Array, subscriber: Subscriber<unknown>): void {
    this.#origin.unread(bytes, subscriber);
  }

  get endpoints(): Endpoints {
    return this.#origin.opening;
  }

  /** Whoever holds the socket. */
  get holders(): Holds {
    return this.#origin.flow;
  }

  get scheduler(): SchedulerLike {
    return this.#origin.limits.scheduler;
  }
}

/** Gives unused bytes back to `source`. They are lost if `source` is not the plain bytes of a socket. */
export function unread(source: Observable<unknown>, bytes: Uint8Array, subscriber: Subscriber<unknown>): void {
  if (source instanceof ByteSource && bytes.length > 0) source.unread(bytes, subscriber);
}

/**
 * Returns the error of a decoder. If the bytes come from a socket, it adds both ends of the connection. The message
 * stays the same, because it depends only on the bytes.
 */
export function withEndpoints(error: unknown, source: Observable<unknown>): unknown {
  if (!(source instanceof ByteSource) || !(error instanceof FrameError) || Object.isFrozen(error)) return error;
  const { local, remote } = source.endpoints;
  return error.local || error.remote ? error : Object.assign(error, { local, remote });
}

/** Returns the scheduler of the socket whose plain bytes `source` is; `asyncScheduler` for any other source. */
export function schedulerOf(source: Observable<unknown>): SchedulerLike {
  return source instanceof ByteSource ? source.scheduler : asyncScheduler;
}

/** Returns the holds on the socket whose plain bytes `source` is; `undefined` for any other source. */
export function holdsOn(source: Observable<unknown>): Holds | undefined {
  return source instanceof ByteSource ? source.holders : undefined;
}
