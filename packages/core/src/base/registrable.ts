// What sockets and servers of all packages have in common, so that a registry can hold any of them.
import { inspect } from 'node:util';
import { isObservable, type Observable } from 'rxjs';
import type { Endpoint } from './endpoint.js';

/** Writes bytes, where they can be: answers `false` if it is time to wait. */
export const broadcast = Symbol('broadcast');

/**
 * What a {@link SocketRegistry} holds: a {@link Socket}, a {@link Server}, a {@link ReconnectingSocket}, a `DatagramSocket` of
 * `@rxsock/udp`.
 */
export interface Registrable<E = unknown> extends Observable<E> {
  name: string;
  mark: unknown;
  readonly readyState: string;
  readonly readyStates: Observable<string>;
  readonly local?: Endpoint | undefined;
  readonly remote?: Endpoint | undefined;
  close(options?: CloseOptions): Promise<unknown>;
  /** Servers have none. */
  complete?(): void;
  /** Servers have none. */
  error?(reason?: unknown): void;
  /** @internal Servers have none. */
  [broadcast]?(bytes: Uint8Array): boolean;
}

/** How long closing may take. */
export interface CloseOptions {
  /** Of a socket, in milliseconds: see its `close()`. */
  readonly timeout?: number;
  /** Of a server, in milliseconds: see its `close()`. */
  readonly drain?: number;
}

/**
 * Throws a TypeError for what is none.
 * @param taker Who takes members, and how, for the message.
 */
export function checkRegistrable(value: unknown, taker: string): void {
  if (isObservable((value as Registrable | null | undefined)?.readyStates)) return;
  throw new TypeError(`${taker} sockets and servers of rxsock, not ${inspect(value, { depth: 0 })}`);
}
