// The sockets and servers of this process that are open now, or on the way there. Those of the system are always
// listed: one entry of a Set costs nothing beside a descriptor, and whoever asks later misses none.
import type { CloseReport } from '../base/events.js';
import { WeakList } from './weak-list.js';

/** Sockets from their dial, or from their accept, until they are closed. */
export const liveSockets = new Set<object>();
/** Servers from their first subscription until they are closed. */
export const liveServers = new Set<object>();
/** Datagram sockets from the moment they begin to open until they are closed. */
export const liveDatagramSockets = new Set<object>();

/** What an observer sees of a reconnecting socket. Times are on the clock of its scheduler. */
export interface ObservedReconnect {
  /** The reconnecting socket. */
  readonly owner: object | undefined;
  readonly state: string;
  /** What it connects to, as messages name it: `example.com:443`. */
  readonly target: string;
  /** The socket of the current connection or attempt. */
  readonly socket: object | undefined;
  /** How many retries there were since the last connection that lasted, with the one under way or scheduled. */
  readonly retries: number;
  /** When the next attempt is due. `undefined` unless the state is `waiting`. */
  readonly retryAt: number | undefined;
  /** How the last connection or attempt has ended. */
  readonly lastEnd: ReconnectEnd | undefined;
}

/** How a connection of a reconnecting socket, or an attempt, has ended. */
export interface ReconnectEnd {
  readonly at: number;
  /** `undefined` if it failed before there was anything to report. */
  readonly report: CloseReport | undefined;
  /** Any value: the functions that the user gives may throw it. */
  readonly error: unknown;
}

/** What an observer sees of a pool. */
export interface ObservedPool {
  /** The pool. */
  readonly owner: object | undefined;
  /** What it connects to, as messages name it. */
  readonly target: string;
  /** How many connections there may be. */
  readonly max: number;
  /** Whether `close()` was called. */
  readonly closed: boolean;
  /** The state of each connection. */
  readonly states: ReadonlyMap<unknown, string>;
  /** The calls of `acquire()` that wait. */
  readonly waiting: { readonly size: number };
  /** What the last `acquire()` that failed has failed with, and when. */
  readonly lastFailure: { readonly at: number; readonly error: unknown } | undefined;
}

/** Reconnecting sockets from their creation until they are closed, unless nobody refers to them any more. */
export const liveReconnects: WeakList<ObservedReconnect> = new WeakList();
/** Pools from their creation until they are closed, unless nobody refers to them any more. */
export const livePools: WeakList<ObservedPool> = new WeakList();
