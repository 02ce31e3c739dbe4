// The budget of one turn of the event loop. Without it, one busy connection could block the loop: the kernel may accept
// every write at once, and callbacks and promises run before the loop goes on. Code that has used up the budget
// continues in a later turn, so that timers and other connections are served.

import { performance, setImmediate } from './real-timers.js';

/**
 * The budget of one turn, in bytes and in milliseconds. Node reads up to 2 MiB from a connection in one turn: two
 * connections that are echoed at the same time stay within the budget.
 */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_MILLISECONDS = 5;

/** How often the clock is read, in milliseconds. Reading it at every call would cost as much as a small write. */
const LOOK_EVERY = 0.5;

/** Up to this many milliseconds, the delivery of a received chunk is not counted. */
const QUICK = 0.1;

/** From this many bytes on, a call is counted at once, and the clock is read: see `callsLeft`. */
const LARGE = 4096;

/** How many small calls may pass unnoticed. */
const MOST_UNNOTICED = 8;

/**
 * The reason of a consumer that goes on by itself in the next turn of the event loop. Observers do not show such a hold:
 * nobody is behind.
 */
export const NEXT_TURN = 'the next turn';

/** Whether the present turn is measured. */
let measuring = false;
let bytesUsed = 0;
let turnStart = 0;
/**
 * How many calls are left before the clock is read. A turn is measured only when so many small calls were made, in this
 * turn or since the last one that was measured. A turn that is measured costs about as much as a small write: a ping
 * and its pong should not pay that.
 */
let callsLeft = MOST_UNNOTICED;
/** The number of calls between two readings, and the last reading. */
let callsBetween = MOST_UNNOTICED;
let lastLook = 0;
let expired = false;

/** Spends `bytes` of the budget, and the time since the turn started. Returns whether any budget is left. */
export function spendTurn(bytes: number): boolean {
  if (bytes >= LARGE) return spendLarge(bytes);
  if (measuring) bytesUsed += bytes;
  return (--callsLeft > 0 && bytesUsed < MOST_BYTES) || look();
}

/** Like `spendTurn(0)`. Cheap enough for every frame of a chunk. */
export function spendTime(): boolean {
  return --callsLeft > 0 || look();
}

/** Resolves in a later turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Spends the time of a delivery that began at `start`. Its bytes do not count: what one connection receives must not
 * stop what another one writes. A quick delivery does not count at all, because Node reads at most 32 chunks from a
 * connection in one turn.
 */
export function spendRead(start: number): boolean {
  const now = performance.now();
  if (now - start <= QUICK) return true;
  if (!measuring) startTurn(start);
  expired ||= now - turnStart >= MOST_MILLISECONDS;
  if (expired) callsLeft = 0;
  return !expired;
}

function spendLarge(bytes: number): boolean {
  // Beside the cost of so many bytes, reading the clock costs nothing.
  if (!measuring) startTurn();
  else expired ||= performance.now() - turnStart >= MOST_MILLISECONDS;
  bytesUsed += bytes;
  return look();
}

function look(): boolean {
  if (!measuring) startTurn();
  else if (!expired && callsLeft <= 0) lookAtClock();
  const isLeft = !expired && bytesUsed < MOST_BYTES;
  if (!isLeft) callsLeft = 0;
  return isLeft;
}

function startTurn(start = performance.now()): void {
  measuring = true;
  turnStart = start;
  lastLook = start;
  callsLeft = callsBetween;
  setImmediate(endTurn);
}

function endTurn(): void {
  measuring = false;
  expired = false;
  bytesUsed = 0;
  // Another kind of work may begin, whose calls take longer.
  callsBetween = Math.min(callsBetween, MOST_UNNOTICED);
  callsLeft = callsBetween;
}

// Reads the clock, and estimates from the last calls how many calls take LOOK_EVERY milliseconds.
function lookAtClock(): void {
  const now = performance.now();
  const elapsed = Math.max(now - lastLook, 0.01);
  callsBetween = Math.max(1, Math.min(1024, Math.round((callsBetween * LOOK_EVERY) / elapsed)));
  callsLeft = callsBetween;
  lastLook = now;
  expired = now - turnStart >= MOST_MILLISECONDS;
}
