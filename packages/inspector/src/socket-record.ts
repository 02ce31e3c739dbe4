// What the inspector remembers of a socket while it is open: what the socket itself does not say.
import { type Endpoint, formatEndpoint } from '@rxsock/core';
import type { ConnectionRole } from '@rxsock/core/diagnostics';
import { NEXT_TURN } from '@rxsock/core/internal';
import type { HolderRow, SocketDetails, SocketRow, TimelineEntry } from './messages.js';

/** A socket of `@rxsock/core`, or a datagram socket, which has only some of the properties. */
export interface InspectedSocket {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly readyState: string;
  readonly local?: Endpoint | undefined;
  readonly remote?: Endpoint | undefined;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly writableLength: number;
  readonly readableLength?: number;
  readonly openedAt?: number | undefined;
  readonly lastReadAt?: number | undefined;
  readonly lastWriteAt?: number | undefined;
  readonly holds?: readonly string[];
  readonly holders?: readonly { readonly reason: string; readonly since: number; readonly stack: string | undefined }[];
  /** The counters of a datagram socket. */
  readonly report?: { readonly bytesRead: number; readonly bytesWritten: number };
}

/** How many entries a timeline has at most. */
const LONGEST_TIMELINE = 50;
const NO_HOLDERS: readonly HolderRow[] = [];
const NO_HOLDS: readonly number[] = [];

export class SocketRecord {
  /** The socket; after its end, a copy of what it says. */
  socket: InspectedSocket;
  readonly role: ConnectionRole;
  /** Where the socket dials. */
  target = '';
  readonly timeline: TimelineEntry[] = [];
  /** What the last sample has found. */
  bytesRead = 0;
  bytesWritten = 0;
  readRate = 0;
  writeRate = 0;
  holders: readonly HolderRow[] = NO_HOLDERS;
  /** When the holds began that are in the timeline and in force. */
  #notedHolds: readonly number[] = NO_HOLDS;
  #state = '';
  #local = '';
  #remote = '';

  constructor(socket: InspectedSocket, role: ConnectionRole) {
    this.socket = socket;
    this.role = role;
  }

  /** Adds an entry to the timeline. */
  note(text: string, { time = Date.now(), state, isLate }: Partial<TimelineEntry> = {}): void {
    if (state !== undefined) this.#state = state;
    this.timeline.push({ time, text, state, isLate });
    if (this.timeline.length > LONGEST_TIMELINE) this.timeline.shift();
  }

  /**
   * Looks at the socket.
   * @param seconds The time since the last sample; Infinity for the first one, which has no rates.
   */
  sample(seconds: number): void {
    const { socket } = this;
    const { readyState } = socket;
    if (readyState !== this.#state) this.note(readyState, { state: readyState, isLate: seconds > 1 });
    const { bytesRead = 0, bytesWritten = 0 } = socket.report ?? socket;
    this.readRate = Math.max(0, bytesRead - this.bytesRead) / seconds;
    this.writeRate = Math.max(0, bytesWritten - this.bytesWritten) / seconds;
    this.bytesRead = bytesRead;
    this.bytesWritten = bytesWritten;
    const before = this.holders;
    this.holders = socket.holds?.length ? holdersOf(socket) : NO_HOLDERS;
    if (before !== this.holders) this.#noteHolds(before);
  }

  // A busy socket is held and released many times a second. Only a hold that two looks have seen is an entry.
  #noteHolds(before: readonly HolderRow[]): void {
    const noted = this.#notedHolds.filter((hold) => this.holders.some(({ since }) => since === hold));
    if (noted.length < this.#notedHolds.length) this.note('released', { isLate: true });
    for (const { reason, since } of this.holders) {
      if (noted.includes(since) || !before.some((holder) => holder.since === since)) continue;
      this.note(`held by ${reason}`, { time: since });
      noted.push(since);
    }
    this.#notedHolds = noted;
  }

  /** The socket has ended: keeps what it says, and not the socket. It is done for each socket, so it does not format. */
  end(): void {
    const { id, name, type, local, remote, openedAt, lastReadAt, lastWriteAt, report } = this.socket;
    const { bytesRead = 0, bytesWritten = 0 } = report ?? this.socket;
    const copy = { id, name, type, readyState: 'closed', local, remote, bytesRead, bytesWritten, writableLength: 0 };
    this.socket = Object.assign(copy, { openedAt, lastReadAt, lastWriteAt }, report && { report });
    this.holders = NO_HOLDERS;
    this.readRate = 0;
    this.writeRate = 0;
    this.bytesRead = bytesRead;
    this.bytesWritten = bytesWritten;
    this.note('closed', { state: 'closed' });
  }

  get local(): string {
    const { local } = this.socket;
    if (this.#local === '' && local) this.#local = formatEndpoint(local);
    return this.#local;
  }

  get remote(): string {
    const { remote } = this.socket;
    if (this.#remote === '' && remote) this.#remote = formatEndpoint(remote);
    return this.#remote || this.target;
  }

  /** When the oldest hold in force began; 0 if nobody holds the socket. */
  get heldSince(): number {
    return this.holders.reduce((oldest, { since }) => (oldest === 0 ? since : Math.min(oldest, since)), 0);
  }

  get row(): SocketRow {
    const { socket, role, local, remote, bytesRead, bytesWritten, readRate, writeRate, heldSince } = this;
    return {
      id: socket.id,
      name: nameOf(socket),
      type: socket.type,
      role: role ?? '',
      state: socket.readyState,
      local,
      remote,
      bytesRead,
      bytesWritten,
      readRate,
      writeRate,
      writableLength: socket.writableLength,
      readableLength: socket.readableLength ?? 0,
      holder: this.holders.find(({ since }) => since === heldSince)?.reason ?? '',
      heldSince,
      openedAt: socket.openedAt ?? 0,
    };
  }

  get details(): SocketDetails {
    const { socket, holders, timeline } = this;
    const { lastReadAt = 0, lastWriteAt = 0, report } = socket;
    const counters = report && { ...report };
    return { ...this.row, lastReadAt, lastWriteAt, holders, timeline, counters };
  }
}

function holdersOf({ holders = [] }: InspectedSocket): readonly HolderRow[] {
  return holders
    .filter(({ reason }) => reason !== NEXT_TURN)
    .map(({ reason, since, stack = '' }) => ({ reason, since, stack }));
}

/** The name of a socket or a server. JavaScript may have set it to anything. */
export function nameOf({ name }: { readonly name: unknown }): string {
  return typeof name === 'string' ? name : '';
}
