// The members that the sockets and servers of all packages have in common, so that a registry can contain any of them.
import { inspect } from 'node:util';
import { isObservable, type Observable } from 'rxjs';
import type { Endpoint } from './endpoint.js';

/**
 * Writes bytes if the write side is open. Returns `false` if the caller should wait for `drain`. A registry may contain
 * sockets of another copy of this package.
 */
export const broadcast = Symbol.for('@rxsock/core broadcast');

/**
 * A socket or a server that a {@link SocketRegistry} can contain: a {@link Socket}, a {@link Server}, a
 * {@link ReconnectingSocket} or a `DatagramSocket` of `@rxsock/udp`.
 */
export interface Registrable<E = unknown> extends Observable<E> {
  /** The name for logs; a registry sets it. */
  name: string;
  /** Any value that you want to keep with it. */
  mark: unknown;
  readonly readyState: string;
  /** Emits the current `readyState`, then every change. Completes after `closed`. */
  readonly readyStates: Observable<string>;
  readonly local?: Endpoint | undefined;
  readonly remote?: Endpoint | undefined;
  close(options?: CloseOptions): Promise<unknown>;
  /** Half-closes. Servers do not have this method. */
  complete?(): void;
  /** Aborts. Servers do not have this method. */
  error?(reason?: unknown): void;
  /** @internal Servers do not have this method. */
  [broadcast]?(bytes: Uint8Array): boolean;
}

/** Time limits for closing sockets and servers. */
export interface CloseOptions {
  /**
   * For sockets: how long a graceful close may take before the socket aborts, in milliseconds; 0 aborts at once,
   * Infinity waits without limit.
   * @defaultValue `lingerTimeout` of the socket; 5,000 for a {@link ReconnectingSocket}
   */
  readonly timeout?: number | undefined;
  /**
   * For servers: how long open connections may continue before the server aborts them, in milliseconds; 0 aborts them
   * at once, Infinity waits without limit.
   * @defaultValue 10,000
   */
  readonly drain?: number | undefined;
}

/**
 * Throws a TypeError unless `value` is a socket or a server of one of the packages.
 * @param caller The function that was called, for the message.
 */
export function checkRegistrable(value: unknown, caller: string): void {
  if (isObservable((value as Registrable | null | undefined)?.readyStates)) return;
  throw new TypeError(`${caller} takes a socket or a server of rxsock, not ${inspect(value, { depth: 0 })}`);
}
