// What the process sends to the page: types only, which both sides share. Times are in milliseconds since 1970, and
// lengths in bytes. Nothing in here contains bytes of a connection.

/** What the page shows of one moment. */
export interface Snapshot {
  readonly time: number;
  /** How long it takes to look at all sockets, and how often that happens, in milliseconds. */
  readonly cost: number;
  readonly pace: number;
  readonly totals: Totals;
  readonly servers: readonly ServerRow[];
  /** The rows that the page has asked for. */
  readonly rows: readonly SocketRow[];
  /** How many sockets pass the filter. */
  readonly matched: number;
  /** How many sockets are held, and how many have bytes to write, of all sockets. */
  readonly held: number;
  readonly queued: number;
  /** The reconnecting sockets, those with trouble first, and how many there are. */
  readonly reconnects: { readonly rows: readonly ReconnectRow[]; readonly total: number };
  /** The pools, those that let somebody wait first, and how many there are. */
  readonly pools: { readonly rows: readonly PoolRow[]; readonly total: number };
  /** The last sockets that have closed, the newest first. */
  readonly closed: readonly ClosedRow[];
  /** The socket that the page has selected, if this process knows it. */
  readonly selected?: SocketDetails | undefined;
}

/** Sums over all sockets of the process. */
export interface Totals {
  readonly sockets: number;
  /** Bytes a second since the last snapshot. */
  readonly readRate: number;
  readonly writeRate: number;
  /** Bytes that wait to be handed to the kernel. */
  readonly writableLength: number;
  /** Bytes that wait for a reader. */
  readonly readableLength: number;
  /** Since the inspector was started. */
  readonly closed: number;
  readonly failed: number;
  readonly dropped: number;
}

export interface ServerRow {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly address: string;
  /** Connections that are open now. */
  readonly sockets: number;
  /** Since the inspector was started. */
  readonly accepted: number;
  readonly dropped: number;
  /** Why it has dropped the last connection. */
  readonly lastDrop: string;
}

export interface ReconnectRow {
  readonly id: number;
  readonly name: string;
  /** What it connects to. */
  readonly target: string;
  readonly state: string;
  /** How many retries there were since the last connection that lasted, with the one under way or scheduled. */
  readonly retries: number;
  /** When the next attempt is due; 0 if none is scheduled. */
  readonly retryAt: number;
  /** The number of the socket of the current connection or attempt; 0 if there is none. */
  readonly socket: number;
  /** How the last connection or attempt has ended; empty if none has. */
  readonly lastEnd: string;
  readonly lastEndAt: number;
}

export interface PoolRow {
  readonly id: number;
  readonly name: string;
  /** What it connects to. */
  readonly target: string;
  readonly state: string;
  /** How many connections it has: dialling, in use and idle. */
  readonly size: number;
  /** How many it may have; 0 if there is no limit. */
  readonly max: number;
  readonly idle: number;
  readonly inUse: number;
  /** How many `acquire()` calls wait. */
  readonly waiting: number;
  /** What the last `acquire()` that failed has failed with; empty if none has. */
  readonly lastError: string;
  readonly lastErrorAt: number;
}

/** One row of the table of sockets. */
export interface SocketRow {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly role: string;
  readonly state: string;
  readonly local: string;
  /** The peer, or where the socket dials. */
  readonly remote: string;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Bytes a second. */
  readonly readRate: number;
  readonly writeRate: number;
  /** Bytes that wait to be handed to the kernel. */
  readonly writableLength: number;
  /** Bytes that wait for a reader. */
  readonly readableLength: number;
  /** The name of the holder that has held the socket the longest; empty if nobody holds it. */
  readonly holder: string;
  /** Since when. */
  readonly heldSince: number;
  readonly openedAt: number;
}

export interface HolderRow {
  readonly reason: string;
  readonly since: number;
  /** The code that holds, while `traceHolds()` is on. */
  readonly stack: string;
}

/** An entry of a socket's timeline. */
export interface TimelineEntry {
  readonly time: number;
  readonly text: string;
  /** The state that begins here, if one does. */
  readonly state?: string | undefined;
  /** Whether it happened at some time before `time`: the look at that time has found it. */
  readonly isLate?: boolean | undefined;
}

/** One socket in full. */
export interface SocketDetails extends SocketRow {
  readonly lastReadAt: number;
  readonly lastWriteAt: number;
  readonly holders: readonly HolderRow[];
  readonly timeline: readonly TimelineEntry[];
  /** How it has ended. */
  readonly end?: EndReport | undefined;
  /** The counters of a datagram socket. */
  readonly counters?: Readonly<Record<string, number>> | undefined;
}

/** The close report of a socket. */
export interface EndReport {
  readonly closedAt: number;
  readonly by: string;
  readonly how: string;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly bytesUnsent: number;
  /** How long the connection was open, in milliseconds. */
  readonly duration: number;
  /** What the socket failed with; empty if it has not failed. */
  readonly error: string;
}

/** A row of the table of closed sockets. */
export interface ClosedRow extends EndReport {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly remote: string;
}

/** What does not change while the process runs. */
export interface ProcessInfo {
  readonly title: string;
  readonly pid: number;
  readonly node: string;
  readonly startedAt: number;
}
