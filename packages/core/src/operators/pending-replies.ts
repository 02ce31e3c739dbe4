// The requests of an exchange that wait for their replies, in the order in which they were sent. A request that was
// left, or that has failed, keeps its place until its reply has come: otherwise the next one would get that reply.
//
//   waiting ──last message of the reply──▶ (gone)          waiting ──left, or too late──▶ given up ──its reply──▶ (gone)
import type { SchedulerLike, Subscriber, Subscription } from 'rxjs';
import { elapsedTime } from '../base/clock.js';
import { LONGEST_TIMER } from '../base/deadline.js';

export interface PendingReply<T> {
  /** `undefined` when nobody waits any more. */
  subscriber: Subscriber<T> | undefined;
  /** `undefined` if replies come in order. */
  readonly key: unknown;
  /** On the clock of the exchange, which stands still while somebody holds. */
  readonly sentAt: number;
}

export class PendingReplies<T> {
  /** A Set keeps the order. */
  readonly #pending = new Set<PendingReply<T>>();
  readonly #byKey = new Map<unknown, PendingReply<T>>();
  readonly #scheduler: SchedulerLike;
  readonly #timeout: number;
  readonly #onLate: (subscriber: Subscriber<T>) => void;
  readonly #isHeld: () => boolean;
  /** How long the connection was held, in all, and since when it is now. */
  #heldFor = 0;
  #heldSince: number | undefined;
  #timer: Subscription | undefined;
  /** Whether the oldest request is late, and this is the second look: its reply may have arrived in a busy turn. */
  #isSecondLook = false;

  /**
   * @param timeout In milliseconds. 0 and Infinity mean no limit.
   * @param isHeld While it returns `true`, the time stands still. Call `noticeHolds()` when this changes.
   */
  constructor(
    scheduler: SchedulerLike,
    timeout: number,
    isHeld: () => boolean,
    onLate: (subscriber: Subscriber<T>) => void,
  ) {
    this.#scheduler = scheduler;
    this.#timeout = timeout;
    this.#isHeld = isHeld;
    this.#onLate = onLate;
    this.noticeHolds();
  }

  get size(): number {
    return this.#pending.size;
  }

  has(key: unknown): boolean {
    return this.#byKey.has(key);
  }

  add(subscriber: Subscriber<T>, key: unknown): PendingReply<T> {
    const pending: PendingReply<T> = { subscriber, key, sentAt: this.#now };
    this.#pending.add(pending);
    if (key !== undefined) this.#byKey.set(key, pending);
    this.#run();
    return pending;
  }

  /** Returns the request that a message replies to. @param key `undefined` for the oldest one. */
  find(key: unknown): PendingReply<T> | undefined {
    if (key !== undefined) return this.#byKey.get(key);
    for (const oldest of this.#pending) return oldest;
    return undefined;
  }

  remove(pending: PendingReply<T>): void {
    this.#pending.delete(pending);
    if (pending.key !== undefined) this.#byKey.delete(pending.key);
    if (this.#pending.size === 0) this.#stop();
  }

  /** Forgets the oldest request for which nobody waits. With keys, it has no place to keep for the others. */
  forgetGivenUp(): void {
    for (const pending of this.#pending) if (!pending.subscriber) return this.remove(pending);
  }

  /** Stops the time, or lets it go on, if a hold has begun or ended. */
  noticeHolds(): void {
    if (this.#isHeld()) {
      this.#heldSince ??= elapsedTime(this.#scheduler);
    } else if (this.#heldSince !== undefined) {
      this.#heldFor += elapsedTime(this.#scheduler) - this.#heldSince;
      this.#heldSince = undefined;
      this.#run();
    }
  }

  /** The time, without that of the holds. */
  get #now(): number {
    return (this.#heldSince ?? elapsedTime(this.#scheduler)) - this.#heldFor;
  }

  /** Forgets all requests, and returns those that somebody waits for. */
  clear(): Subscriber<T>[] {
    const subscribers = [...this.#pending].flatMap(({ subscriber }) => subscriber ?? []);
    this.#pending.clear();
    this.#byKey.clear();
    this.#stop();
    return subscribers;
  }

  /** Sets the timer for the oldest request that somebody waits for. */
  #run(): void {
    if (this.#timer || this.#timeout === 0 || this.#timeout === Number.POSITIVE_INFINITY) return;
    for (const { subscriber, sentAt } of this.#pending) if (subscriber) return this.#arm(this.#timeLeft(sentAt));
  }

  #stop(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#isSecondLook = false;
  }

  #arm(milliseconds: number): void {
    this.#timer?.unsubscribe();
    this.#timer = this.#scheduler.schedule(
      () => {
        this.#timer = undefined;
        this.#look();
      },
      Math.min(Math.max(0, milliseconds), LONGEST_TIMER),
    );
  }

  #look(): void {
    this.noticeHolds();
    if (this.#heldSince !== undefined) {
      this.#isSecondLook = false;
      return;
    }
    const waiting = [...this.#pending].filter(({ subscriber }) => subscriber);
    const late = waiting.filter(({ sentAt }) => this.#timeLeft(sentAt) <= 0);
    if (late.length > 0 && !this.#isSecondLook) {
      this.#isSecondLook = true;
      return this.#arm(0);
    }
    this.#isSecondLook = false;
    const next = waiting[late.length];
    if (next) this.#arm(this.#timeLeft(next.sentAt));
    for (const pending of late) {
      const { subscriber } = pending;
      pending.subscriber = undefined;
      if (subscriber) this.#onLate(subscriber);
    }
  }

  #timeLeft(sentAt: number): number {
    return sentAt + this.#timeout - this.#now;
  }
}
