// Checks when a reconnecting socket dials again.
import type { BackoffOptions } from '@rxsock/core';
import type { Findings } from '../findings.js';

/** In milliseconds; more than the rounding errors of a day. */
const TOLERANCE = 0.001;

export class BackoffCheck {
  readonly #options: Required<{ [Name in keyof BackoffOptions]: number }>;
  readonly #findings: Findings;
  #attempts = 0;
  #dueAt: number | undefined;

  constructor(options: Required<{ [Name in keyof BackoffOptions]: number }>, findings: Findings) {
    this.#options = options;
    this.#findings = findings;
  }

  /** A connection has ended that was open for so many milliseconds; `undefined` if it never was open. */
  ended(openFor: number | undefined): void {
    if (openFor !== undefined && openFor >= this.#options.resetAfter) this.#attempts = 0;
  }

  /** A retry is announced, at this time. */
  announced(attempt: number, delay: number, now: number): void {
    const { initial, factor, max, jitter } = this.#options;
    const longest = Math.min(max, initial * factor ** this.#attempts);
    this.#attempts++;
    if (attempt !== this.#attempts) this.#findings.violation(`retry ${attempt} in place of ${this.#attempts}`);
    if (delay > longest || delay < longest * (1 - jitter)) this.#findings.violation('a delay out of range');
    this.#dueAt = now + delay;
  }

  /** The client dials, at this time. */
  dialled(now: number): void {
    if (this.#dueAt !== undefined && Math.abs(now - this.#dueAt) > TOLERANCE)
      this.#findings.violation('dialled before or after the announced time');
    this.#dueAt = undefined;
  }
}
