// What many sockets keep together, and which of them may go on.
//
// What is charged, for each socket: the received bytes that are not delivered, and what waits to be written, counted as
// for `maxWriteBuffer`. What operators keep is not charged, and neither is what a closed socket keeps for its next
// reader. A socket reports its two numbers when they change, so that a chunk costs the same whatever number of sockets
// there is.
//
// A socket may go on while what it keeps is at most an eighth of what is free, and always while half of the budget is
// free. So the greediest are held first, and there is always room for those that keep little. Received bytes get half of
// the budget at most, and writers go on while a quarter of it or less is written: so what is received can be written on.
//
//   writing   free ──next() returns false──▶ told ──all has left──▶ free
//               ▲                              └── all has left, but too little is free ──▶ waiting
//               └─────────── others give back as much, or only a quarter is in use ─────────────┘
//   reading   taken ──a hold begins, the last reader leaves──▶ ahead ──too little is free──▶ stopped
//               ▲                                               ▲ └── a reader takes the bytes ──▶ taken
//               └── a reader takes the bytes ───────────────────┴── only a quarter is in use ──────┘
//
// Bytes that a reader takes at once are never charged. A socket reads ahead only while there is room for a whole read
// besides, so that what is received does not pass the limit. A writer that can wait asks before it writes. What is
// written cannot be refused: if it does not fit, a socket fails. That is one that wrote although it was told to wait, or
// else the one that keeps the most of what was written.
import { markCopy } from '../base/copy.js';
import { setImmediate } from '../base/real-timers.js';
import { SizeClasses } from '../base/size-classes.js';

/** What a budget asks of a socket. */
export interface BudgetedSocket {
  /** Hands to the kernel what the kernel may take at once. */
  flush(): void;
  /** Fails: afterwards the socket keeps nothing that was written. */
  fail(): void;
  /** Stops reading. */
  stopReading(): void;
  /** Looks again whether to read. */
  readOn(): void;
  /** Emits `drain`, if nothing waits to be written. */
  writeOn(): void;
}

/** The share of one socket. */
export interface BudgetMember {
  readonly socket: BudgetedSocket;
  /** What the socket will probably write next, in bytes: as much as last. */
  readonly need: number;
  /** What it has to write, in bytes. */
  readonly written: number;
  /** Whether it wrote after it was told to wait. */
  readonly ignoresBudget: boolean;
  /**
   * `taken`: a reader takes what arrives, or nothing is read. `ahead`: it reads although nobody takes the bytes now.
   * `stopped`: it would, if there were room. Only the budget changes it.
   */
  reading: 'taken' | 'ahead' | 'stopped';
}

/** A socket may keep one part in so many of what is free. */
const PARTS = 8;
/** Node gives at most so many bytes at once. */
const READ = 65_536;
/** Below one part in so many, everybody goes on. */
const LOW = 4;
/** So many sockets go on in one turn. */
const MOST_PER_TURN = 64;

export class Budget {
  static {
    markCopy(Budget.prototype);
  }

  readonly limit: number;
  #used = 0;
  /** How much of it are received bytes. They may have half of the budget: the rest is for writing them on. */
  #received = 0;
  /** The sockets with something to write, by how much. */
  readonly #writers = new SizeClasses<BudgetMember>();
  /** Those of them that wrote after they were told to wait. */
  readonly #ignoring = new SizeClasses<BudgetMember>();
  /** The sockets that wait for their `drain`, by what they need, and the same in the order in which they wait. */
  readonly #waiting = new SizeClasses<BudgetMember>();
  readonly #queue = new Set<BudgetMember>();
  /** The sockets that read although nobody takes the bytes now. */
  readonly #ahead = new Set<BudgetMember>();
  /** The sockets that would do so if there were room. */
  readonly #stopped = new Set<BudgetMember>();
  /** How many bytes were given back and not yet passed on to a socket that waits. */
  #credit = 0;
  #nextTurn: NodeJS.Immediate | undefined;

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  get #isLow(): boolean {
    return this.#used <= this.limit / LOW;
  }

  /** Whether a socket that keeps so many bytes may go on. Everybody may while half of the budget is free. */
  allows(bytes: number): boolean {
    return Math.min(PARTS * bytes, this.limit / 2) <= this.limit - this.#used;
  }

  /**
   * Whether a socket that has so many bytes to write may go on: also while little is written in all. Otherwise received
   * bytes that are to be written on could keep the room that they wait for.
   */
  allowsWrite(bytes: number): boolean {
    return this.allows(bytes) || (this.#writtenIsLow && bytes <= this.limit - this.#used);
  }

  get #writtenIsLow(): boolean {
    return this.#used - this.#received <= this.limit / LOW;
  }

  /** Whether a socket that keeps so many received bytes may read ahead. */
  allowsRead(bytes: number): boolean {
    const most = Math.max(this.limit / 2, READ);
    return this.allows(bytes + READ) && this.#received + READ <= most && this.limit - this.#used >= READ;
  }

  /** A socket keeps more, or less if `bytes` is negative. */
  charge(bytes: number): void {
    this.#used += bytes;
    if (bytes < 0) {
      this.#credit = Math.min(this.#credit - bytes, this.limit / PARTS);
      this.#goOn();
    } else if (this.#ahead.size > 0 && !this.allowsRead(0)) {
      this.#stopReaders();
    }
  }

  /** A socket keeps more received bytes, or less if `bytes` is negative. */
  chargeReceived(bytes: number): void {
    this.#received += bytes;
    this.charge(bytes);
  }

  /**
   * Whether so many bytes may be written. More than half of the budget never waits: that much may never be free.
   */
  hasRoomFor(bytes: number): boolean {
    return bytes > this.limit / 2 || this.allowsWrite(bytes);
  }

  /** What a socket has to write has changed. */
  rank(member: BudgetMember): void {
    this.#writers.set(member, member.written);
    this.#ignoring.set(member, member.ignoresBudget ? member.written : 0);
  }

  /** Makes room for what `member` has written. */
  makeRoom(member: BudgetMember): void {
    // What was written in this turn may not have reached the kernel yet.
    if (this.#used > this.limit) member.socket.flush();
    for (let last = this.#lastToKeep(); last && this.#used > this.limit; last = this.#lastToKeep()) {
      const before = this.#used;
      last.socket.flush();
      if (this.#used < before) continue;
      this.#forgetWriter(last);
      last.socket.fail();
    }
  }

  // Whoever ignores that it must wait fails before those that wait, if that makes enough room.
  #lastToKeep(): BudgetMember | undefined {
    const ignoring = this.#ignoring.largest();
    return ignoring && ignoring.written >= this.#used - this.limit ? ignoring : this.#writers.largest();
  }

  #forgetWriter(member: BudgetMember): void {
    this.#writers.delete(member);
    this.#ignoring.delete(member);
  }

  /** A socket waits for its `drain`. */
  wait(member: BudgetMember): void {
    this.#waiting.set(member, member.need);
    this.#queue.add(member);
  }

  setReading(member: BudgetMember, reading: BudgetMember['reading']): void {
    if (member.reading === reading) return;
    member.reading = reading;
    if (reading === 'ahead') this.#ahead.add(member);
    else this.#ahead.delete(member);
    if (reading === 'stopped') this.#stopped.add(member);
    else this.#stopped.delete(member);
  }

  /** The socket has closed. */
  leave(member: BudgetMember): void {
    this.#forgetWriter(member);
    this.#leaveQueue(member);
    this.setReading(member, 'taken');
  }

  #stopReaders(): void {
    for (const member of this.#ahead) {
      this.setReading(member, 'stopped');
      member.socket.stopReading();
    }
  }

  // Each socket that goes on may write at once, so the room is looked at again before the next one.
  #goOn(): void {
    for (let turns = MOST_PER_TURN; turns > 0; turns--) {
      const member = this.#nextWriter();
      if (!member) return this.#readOn(turns);
      this.#credit -= member.need;
      this.#leaveQueue(member);
      member.socket.writeOn();
    }
    this.#goOnNextTurn();
  }

  // The one that has waited longest; if there is no room for that, the one that needs least.
  #nextWriter(): BudgetMember | undefined {
    const [first] = this.#queue;
    if (!first || this.#mayGoOn(first)) return first;
    const smallest = this.#waiting.smallest();
    return smallest && this.#mayGoOn(smallest) ? smallest : undefined;
  }

  #mayGoOn({ need }: BudgetMember): boolean {
    return (this.#writtenIsLow && this.allowsWrite(need)) || (this.#credit > 0 && this.allows(need));
  }

  #leaveQueue(member: BudgetMember): void {
    this.#waiting.delete(member);
    this.#queue.delete(member);
  }

  #readOn(turns: number): void {
    for (const member of this.#stopped) {
      if (!this.#isLow || !this.allowsRead(0)) return;
      if (turns-- === 0) return this.#goOnNextTurn();
      this.setReading(member, 'taken');
      member.socket.readOn();
    }
  }

  #goOnNextTurn(): void {
    this.#nextTurn ??= setImmediate(() => {
      this.#nextTurn = undefined;
      this.#goOn();
    });
  }
}
