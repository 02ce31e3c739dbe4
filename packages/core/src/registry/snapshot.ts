// snapshot(): all that there is to know of a socket or a server at one moment, for logs and status pages.
import { inspect } from 'node:util';
import type { Endpoint } from '../base/endpoint.js';
import { checkRegistrable, type Registrable } from '../base/registrable.js';
import type { ReadyState } from '../engine/connection.js';
import type { TransportType } from '../engine/transport.js';
import type { Socket } from '../socket.js';

/** What {@link snapshot} gives: the properties of a socket of the same names. What is not known yet is left out. */
export interface SocketSnapshot {
  readonly name: string;
  readonly type: TransportType;
  readonly readyState: ReadyState;
  readonly local?: Endpoint;
  readonly remote?: Endpoint;
  /** Bytes received. */
  readonly bytesRead: number;
  /** Bytes handed to the kernel. */
  readonly bytesWritten: number;
  /** Bytes received that nobody has taken yet. */
  readonly readableLength: number;
  /** Bytes that wait to be handed to the kernel. */
  readonly writableLength: number;
  /** In milliseconds since the epoch of the scheduler's clock, as the next two. */
  readonly openedAt?: number;
  readonly lastReadAt?: number;
  readonly lastWriteAt?: number;
  readonly holds: readonly string[];
  /** As JSON keeps it; what JSON cannot take, a circle or a function, as `util.inspect` describes it. */
  readonly mark?: unknown;
}

/** What {@link snapshot} gives of a server, or of a datagram socket: as {@link SocketSnapshot}, as far as it has the same. */
export interface RegistrableSnapshot extends Partial<Omit<SocketSnapshot, 'name' | 'type' | 'readyState'>> {
  readonly name: string;
  readonly type?: string;
  readonly readyState: string;
  /** Where a server listens. */
  readonly address?: Endpoint;
  /** What has passed through a datagram socket. */
  readonly report?: Readonly<Record<string, number>>;
}

/** What {@link snapshot} gives. */
export type Snapshot<M extends Registrable> = M extends Socket ? SocketSnapshot : RegistrableSnapshot;

const PROPERTIES: readonly (keyof SocketSnapshot | keyof RegistrableSnapshot)[] = [
  'name',
  'type',
  'readyState',
  'address',
  'local',
  'remote',
  'bytesRead',
  'bytesWritten',
  'readableLength',
  'writableLength',
  'openedAt',
  'lastReadAt',
  'lastWriteAt',
  'report',
  'holds',
  'mark',
];

/**
 * A plain object that says how a socket is at this moment, in any state; a server or a datagram socket, too. It changes no
 * more, and is the same after a way through JSON.
 *
 * @throws TypeError for what is no socket or server.
 *
 * @example
 * ```ts
 * import { connect, snapshot, SocketRegistry } from '@rxsock/core';
 *
 * const sockets = new SocketRegistry();
 * sockets.add(connect({ port: 6667 }), 'irc');
 * console.log(JSON.stringify([...sockets].map(snapshot)));
 * ```
 */
export function snapshot<M extends Registrable>(member: M): Snapshot<M> {
  checkRegistrable(member, 'Snapshots are of');
  const known = PROPERTIES.map((property) => [property, plain(member[property as keyof M])]);
  return Object.fromEntries(known.filter(([, value]) => value !== undefined)) as Snapshot<M>;
}

/** The value as it is after a way through JSON. */
function plain(value: unknown): unknown {
  try {
    const text = JSON.stringify(value);
    if (text !== undefined) return JSON.parse(text);
  } catch {
    // A circle, a BigInt, or a toJSON() that throws.
  }
  return value === undefined ? undefined : inspect(value, { customInspect: false });
}
