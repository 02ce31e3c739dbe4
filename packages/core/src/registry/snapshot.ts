// snapshot(): the state of a socket or a server at one moment, for logs and status pages.
import type { Endpoint } from '../base/endpoint.js';
import { checkRegistrable, type Registrable } from '../base/registrable.js';
import type { Holder } from '../flow/holds.js';
import { plainProperties } from '../observe/plain-properties.js';
import type { Socket } from '../socket.js';

/**
 * The {@link snapshot} of a socket: the socket's properties, under the same names. Properties without a value are left
 * out.
 */
export interface SocketSnapshot {
  /** The number of the socket: see {@link Socket.id}. */
  readonly id: number;
  readonly name: string;
  readonly type: Socket['type'];
  readonly readyState: Socket['readyState'];
  readonly local?: Endpoint;
  readonly remote?: Endpoint;
  /** Bytes received. */
  readonly bytesRead: number;
  /** Bytes handed to the kernel. */
  readonly bytesWritten: number;
  /** Bytes received that no reader has taken yet. */
  readonly readableLength: number;
  /** Bytes that wait to be handed to the kernel. */
  readonly writableLength: number;
  /** When the connection opened, in milliseconds on the clock of the socket's scheduler. */
  readonly openedAt?: number;
  /** When bytes last arrived, on the same clock. */
  readonly lastReadAt?: number;
  /** When bytes were last handed to the kernel, on the same clock. */
  readonly lastWriteAt?: number;
  /** The reasons of the holds in force. */
  readonly holds: readonly string[];
  /** The same with the time when each began and, with `traceHolds()`, its stack. */
  readonly holders: readonly Holder[];
  /** The mark as JSON represents it. If JSON cannot represent it, as with a function: the string of `util.inspect`. */
  readonly mark?: unknown;
}

/** The {@link snapshot} of a server, a reconnecting socket or a datagram socket: the properties that it has. */
export interface RegistrableSnapshot extends Partial<Omit<SocketSnapshot, 'name' | 'type' | 'readyState'>> {
  readonly name: string;
  readonly type?: string;
  readonly readyState: string;
  /** The address on which a server listens. */
  readonly address?: Endpoint;
  /** The counters of a datagram socket. */
  readonly report?: Readonly<Record<string, number>>;
}

/** The type of the {@link snapshot} of a socket or a server. */
export type Snapshot<R extends Registrable> = R extends Socket ? SocketSnapshot : RegistrableSnapshot;

/**
 * Returns a plain object with the state of a socket or a server at this moment. It never changes afterwards, and JSON
 * preserves it: `JSON.parse(JSON.stringify(…))` gives an equal object.
 *
 * @param source A socket, a server, a reconnecting socket or a datagram socket, in any state.
 * @throws At the call: TypeError if `source` is none of these.
 *
 * @example
 * ```ts
 * import { connect } from '@rxsock/core';
 * import { snapshot, SocketRegistry } from '@rxsock/core/registry';
 *
 * const sockets = new SocketRegistry();
 * sockets.add(connect({ port: 6667 }), 'irc');
 * console.log(JSON.stringify([...sockets].map(snapshot)));
 * ```
 */
export function snapshot<R extends Registrable>(source: R): Snapshot<R> {
  checkRegistrable(source, 'snapshot()');
  return plainProperties(source) as unknown as Snapshot<R>;
}
