// Marks the errors with which this side has ended a connection: an abort, a signal, a time limit or a full buffer. An
// operator passes such an error on at once and drops the data that it has queued. The end that the peer decided on, a
// FIN or a reset, is passed on after the data.
const decisions = new WeakSet<object>();

export function markLocalDecision<E extends object>(error: E): E {
  decisions.add(error);
  return error;
}

/** Whether this side has ended a connection with `error`. */
export function isLocalDecision(error: unknown): boolean {
  return typeof error === 'object' && error !== null && decisions.has(error);
}
