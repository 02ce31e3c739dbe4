// The budget of one turn of the event loop. Without it, one busy connection could block the loop: the kernel may accept
// every write at once, and callbacks and promises run before the loop goes on. Code that has used up the budget
// continues in a later turn, so that timers and other connections are served.

/** The budget of one turn, in bytes and in milliseconds. */
const MOST_BYTES = 1024 * 1024;
const MOST_MILLISECONDS = 5;

/** How often the clock is read, in milliseconds. Reading it at every call would cost as much as a small write. */
const LOOK_EVERY = 0.5;

let inTurn = false;
let bytesUsed = 0;
let turnStart = 0;
/** After how many calls the clock is read again; the number of calls between two readings; the last reading. */
let callsLeft = 0;
let callsBetween = 16;
let lastLook = 0;
let expired = false;

/** Spends `bytes` of the budget, and the time since the turn started. Returns whether any budget is left. */
export function spendTurn(bytes: number): boolean {
  if (!inTurn) startTurn();
  bytesUsed += bytes;
  if (--callsLeft <= 0 && !expired) lookAtClock();
  return !expired && bytesUsed < MOST_BYTES;
}

function startTurn(): void {
  inTurn = true;
  expired = false;
  bytesUsed = 0;
  turnStart = performance.now();
  lastLook = turnStart;
  callsLeft = Math.min(callsBetween, 16);
  setImmediate(() => {
    inTurn = false;
  });
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
