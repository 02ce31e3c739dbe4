// Counts the datagrams of one socket and measures how long it is open.
import { elapsedTime } from '@rxsock/core/internal';
import type { SchedulerLike } from 'rxjs';
import type { DatagramReport } from './events.js';

export class Traffic {
  readonly counts = {
    messagesRead: 0,
    bytesRead: 0,
    messagesWritten: 0,
    bytesWritten: 0,
    messagesUnsent: 0,
    messagesDropped: 0,
    messagesBlocked: 0,
  };
  readonly #scheduler: SchedulerLike;
  #openedAt: number | undefined;
  #closedAt: number | undefined;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Starts the clock: the socket is open. */
  startClock(): void {
    this.#openedAt = elapsedTime(this.#scheduler);
  }

  /** Stops the clock: the socket is closed. */
  stopClock(): void {
    this.#closedAt = elapsedTime(this.#scheduler);
  }

  get report(): DatagramReport {
    const until = this.#closedAt ?? elapsedTime(this.#scheduler);
    return { ...this.counts, duration: until - (this.#openedAt ?? until) };
  }
}
