// Marks the errors by which this side itself has ended a connection: an abort, a signal, a time limit, its own bound.
// They overtake data. What the peer did, a FIN or a reset, comes in its place after the data.
const decisions = new WeakSet<object>();

export function markLocalDecision<E extends object>(error: E): E {
  decisions.add(error);
  return error;
}

/** Whether an operator passes `error` on at once, and drops what it has queued. */
export function isLocalDecision(error: unknown): boolean {
  return typeof error === 'object' && error !== null && decisions.has(error);
}
