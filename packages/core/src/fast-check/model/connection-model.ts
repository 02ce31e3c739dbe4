// ConnectionModel: what must be true of a connection, whatever carries it. It knows only what both ends have done.
import type { ConnectionUnderTest } from './connection-under-test.js';
import type { ReaderKind } from './readers.js';

/** How a connection is over. */
export type Over =
  /** Both FINs came. What nobody has read waits for the next reader. */
  | 'whole'
  /** This side has aborted it. */
  | 'aborted'
  /** The other end has reset it. */
  | 'reset'
  /** A time limit has closed it. */
  | 'timeout';

/** The default of `highWaterMark`: how many bytes are read ahead while nobody takes them. */
const READ_AHEAD = 65_536;

export class ConnectionModel {
  /** Whether the socket has not dialled yet. */
  readonly dials: boolean;
  readonly hasClock: boolean;
  readonly hasSignal: boolean;
  readonly hasDrain: boolean;
  readonly hasResets: boolean;
  /** Whether anything has made the socket dial, or has claimed it. */
  used = false;
  /** How many bytes were written. */
  offered = 0;
  /** Whether our side was completed, by whatever. */
  completed = false;
  /** Whether `close()` was called or the last subscriber has left. */
  closing = false;
  allowHalfOpen = false;

  /** How many bytes the other end has sent. */
  sent = 0;
  farEnded = false;
  farReset = false;
  /** Whether the other end does not read. */
  stalled = false;

  /** How many bytes our readers have taken. What they give back is subtracted. */
  position = 0;
  /** How many bytes `unshift()` has given back in all. */
  givenBack = 0;
  /** Whether the peer's FIN was delivered, and no byte was given back since. */
  endDelivered = false;
  /** Whether the peer's FIN was delivered once. */
  endWasDelivered = false;
  reader: ReaderKind | undefined;
  watcher = false;
  holds = 0;
  /** Whether a consumer holds, of its own accord. */
  heldByConsumer = false;
  /** Whether a subscriber has just left. The last one that leaves closes the socket. */
  left = false;
  /** Whether everything that arrives is dropped, by right: nobody read, or somebody held, while the socket was closing. */
  dropping = false;

  /** How much time has passed in short steps, in milliseconds of a virtual clock. */
  waited = 0;
  over: Over | undefined;

  constructor({ near, clock, abort, drain, hasResets = true }: ConnectionUnderTest) {
    this.dials = near.readyState === 'idle';
    this.hasClock = clock !== undefined;
    this.hasSignal = abort !== undefined;
    this.hasDrain = drain !== undefined;
    this.hasResets = hasResets;
  }

  /** Whether the next bytes reach a reader. */
  get flows(): boolean {
    return this.reader !== undefined && this.reader !== 'stuck' && this.holds === 0 && !this.dropping;
  }

  /** Whether the next bytes reach a reader that will be stuck with its first frame. */
  get takesFirstFrame(): boolean {
    return this.reader === 'stuck' && !this.heldByConsumer && this.holds === 0 && !this.dropping;
  }

  get hasSubscriber(): boolean {
    return this.reader !== undefined || this.watcher;
  }

  /** Whether the next command finds a connection that works. */
  get works(): boolean {
    return this.over === undefined && !this.farReset;
  }

  /** How many bytes wait for a reader. */
  get unread(): number {
    return this.sent - this.position;
  }

  /** Whether the application may keep the connection in this state for as long as it likes. */
  get isOwned(): boolean {
    if (this.closing) return false;
    if (!this.used || this.holds > 0 || this.heldByConsumer) return true;
    // A FIN is not seen behind more bytes than are read ahead.
    const isEnded = this.farEnded && this.unread < READ_AHEAD;
    if (this.reader !== undefined && !isEnded) return true;
    return !this.completed && !isEnded;
  }

  /**
   * Whether no limit runs in this state. After `complete()`, finTimeout runs while nobody reads, whoever holds. Behind
   * about as many bytes as are read ahead, a FIN may be seen or not.
   */
  get isUnlimited(): boolean {
    const isHeld = this.holds > 0 || this.heldByConsumer;
    return this.isOwned && (!this.completed || this.reader !== undefined) && (!this.farEnded || isHeld);
  }

  /** Follows from what has happened until nothing changes any more. */
  settle(): void {
    if (this.over) return;
    this.#leaveIfAlone();
    if (this.farReset) {
      if (this.flows || this.closing) this.over = 'reset';
      return;
    }
    if (this.flows) {
      this.position = this.sent;
      if (this.farEnded) this.deliverEnd();
    } else if (this.closing) {
      if (this.unread > 0 || this.holds > 0 || this.heldByConsumer) this.dropping = true;
      if (this.farEnded) this.endDelivered = true;
    } else if (this.farEnded && this.unread === 0 && this.holds === 0 && this.reader === undefined) {
      this.deliverEnd();
    }
    this.#leaveIfAlone();
    if (this.completed && this.endDelivered && !this.stalled) this.over = 'whole';
  }

  /** The end was told to a subscriber. */
  deliverEnd(): void {
    this.endDelivered = true;
    this.endWasDelivered = true;
    if (!this.allowHalfOpen) this.completed = true;
  }

  #leaveIfAlone(): void {
    const hasLeft = this.left;
    this.left = false;
    if (!hasLeft || this.hasSubscriber || this.closing) return;
    // There is no reader any more, and no byte before the FIN.
    if (this.farEnded && this.unread === 0 && this.holds === 0) this.deliverEnd();
    if (this.endWasDelivered && this.allowHalfOpen && !this.completed) return;
    this.close();
  }

  close(): void {
    this.closing = true;
    this.completed = true;
  }

  /** For messages. */
  describe(): string {
    const ours = this.completed ? 'our side completed' : 'our side open';
    const theirs = this.farEnded ? 'the other end completed' : 'the other end open';
    return `${ours}, ${theirs}, ${this.unread} bytes unread, ${this.holds} holds`;
  }
}
