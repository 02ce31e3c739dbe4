// SocketControl: the one way by which operators, transfers and sibling packages reach the engine behind a socket.
import type { Duplex } from 'node:stream';
import type { SchedulerLike, Subscriber } from 'rxjs';
import type { ProgressMeter } from '../base/deadline.js';
import type { SocketError } from '../base/errors.js';
import type { SocketEvent } from '../base/events.js';
import type { ByteSource } from '../flow/byte-source.js';
import type { Holds } from '../flow/holds.js';
import type { ConnectionRole } from '../observe/messages.js';
import type { SocketLimits } from './limits.js';
import type { CloseListener } from './outcome.js';
import type { Watcher } from './subscriber-entry.js';
import type { StreamTuning } from './tuning.js';
import type { Acceptor } from './usage.js';

/** What was written to a socket, and how it leaves. */
export interface WriteControl {
  /** `open`; `completing` after `complete()`; `finished` when FIN was sent; `broken` by a failure. */
  readonly state: 'open' | 'completing' | 'finished' | 'broken';
  /** Why the write side is broken. */
  readonly error: unknown;
  /** Whether `next()` returned `false` only because this turn of the event loop is used up: there is room. */
  readonly waitsForTurn: boolean;
  /** Whether `next()` has returned `false`, and `drain` has not come yet. */
  readonly waitsForDrain: boolean;
  /** Whether the memory budget has room for a chunk of so many bytes. If not, `drain` comes when it has. */
  hasRoomFor(bytes: number): boolean;
  /** Hands written bytes to the Node stream now, instead of at the end of the turn. */
  flush(): void;
  /** Settles when everything written so far was handed to the kernel. */
  flushed(): Promise<void>;
  /** Calls `listener` whenever bytes have left. The returned function removes it. */
  onProgress(listener: () => void): () => void;
}

/** The socket that has taken over the stream of another one. */
export interface Successor {
  error(reason?: unknown): void;
}

export interface SocketControl {
  /** The socket's options, with the defaults filled in. */
  readonly limits: SocketLimits;
  /** Whoever holds the socket. */
  readonly flow: Holds;

  /** The connection was accepted: it must be claimed in time. */
  awaitClaim(acceptor: Acceptor): void;

  // ---- reading

  /** The plain bytes of the socket: what `data()` returns. Bytes that a subscriber does not use can be given back. */
  readonly bytes: ByteSource;
  /** Subscribes to the events of one type. Unless the type is `data`, this keeps the socket open and does not read. */
  watch(type: SocketEvent['type'], subscriber: Subscriber<never>): void;

  // ---- writing

  readonly writeSide: WriteControl;
  /**
   * What completed the write side first: `complete()`, `close()`, the last subscriber by leaving, or the peer's FIN.
   * `undefined` while the write side is not completed.
   */
  readonly completedBy: 'complete' | 'close' | 'leaving' | 'peer' | undefined;
  /** Whether the memory of a chunk may be reused once the chunk was handed to the kernel. */
  readonly copiesWrites: boolean;
  /**
   * Begins a write that must arrive whole, and dials. Until `endWrite`, the peer's FIN does not complete our side,
   * whatever `allowHalfOpen` says: a FIN before the last byte would tell the peer that it has everything. Until
   * `unwatch`, the writer keeps the socket open and is notified; at once if the write side is broken.
   */
  beginWrite(writer: Watcher): void;
  /** The write is whole, or was aborted. */
  endWrite(): void;
  /** Removes a writer. If nobody else uses the socket, the socket closes. */
  unwatch(writer: Watcher): void;
  /** Measures how many bytes have left, also in the middle of a write. */
  readonly progress: ProgressMeter;
  /** Aborts because a write is not whole. Does nothing once FIN was sent: everything is out then. */
  cut(reason: unknown): void;

  // ---- the diagnostics channels

  /** What it connects to, as messages name it. */
  readonly opening: {
    readonly scene: { readonly target: string };
    /** How long ago the peer ended its side, or the connection failed, in milliseconds; 0 if that has not happened. */
    endedFor(scheduler: SchedulerLike): number;
  };
  /** Which end opened the connection. */
  readonly role: ConnectionRole;
  /** Publishes what has happened before the Socket was created. Its creator calls it if the connection began earlier. */
  announce(): void;

  // ---- the system

  /** Changes settings of the Node stream: at once if it is open, otherwise when it opens. */
  tune(tuning: StreamTuning): void;

  // ---- the end

  /** What the socket failed with. */
  readonly failure: SocketError | undefined;
  /** Whether another socket has taken over the stream, as for STARTTLS. */
  readonly upgraded: boolean;
  /** Calls `listener` after all subscribers have received the end; at once if the socket is closed. */
  afterClose(listener: CloseListener): void;
  /**
   * Ends this socket, and gives its Node stream to `takeOver`, which makes its successor of it. Returns the successor.
   * @throws SocketError if bytes or readers are left: `ERR_SOCKET_NOT_OPEN`, `ERR_READER_EXISTS`, `ERR_WRITES_PENDING`,
   * `ERR_PLAINTEXT_LEFT`. The socket is then unchanged.
   */
  detach<T extends Successor>(takeOver: (stream: Duplex) => T): T;
  readonly successor: Successor | undefined;
  /** Whether somebody reads. */
  readonly hasReader: boolean;
  /**
   * Ends this socket, and returns its Node stream with what was received and not read.
   * @throws SocketError as `detach`, and if the peer's FIN has come.
   */
  handOver(): { readonly stream: Duplex; readonly received: Buffer };
}
