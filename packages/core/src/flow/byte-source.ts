// ByteSource: the bytes of one socket. A consumer that stops inside a chunk gives the rest back to the socket.
import type { Observable, Subscriber, TeardownLogic } from 'rxjs';
import type { Endpoints } from '../base/endpoint.js';
import { FrameError } from '../base/errors.js';
import type { Flow } from './flow.js';
import { Flowable } from './flowable.js';

/** Takes back bytes that a subscriber received and did not use. */
type Unread = (bytes: Uint8Array, subscriber: Subscriber<unknown>) => void;

export class ByteSource extends Flowable<Buffer> {
  /** Gives bytes back. `subscriber` is the one that received them from this Observable. */
  readonly unread: Unread;
  /** Returns both ends of the connection. */
  readonly endpoints: (() => Endpoints) | undefined;

  constructor(
    subscribe: (subscriber: Subscriber<Buffer>) => TeardownLogic,
    flow: Flow,
    unread: Unread,
    endpoints?: () => Endpoints,
  ) {
    super(subscribe, flow);
    this.unread = unread;
    this.endpoints = endpoints;
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
  const endpoints = source instanceof ByteSource ? source.endpoints?.() : undefined;
  if (!endpoints || !(error instanceof FrameError) || Object.isFrozen(error)) return error;
  const { local, remote } = endpoints;
  return error.local || error.remote ? error : Object.assign(error, { local, remote });
}
