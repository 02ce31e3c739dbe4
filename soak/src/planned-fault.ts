// The error of a fault that a scenario makes on purpose.

export class PlannedFault extends Error {
  override readonly name = 'PlannedFault';
}

/** With these codes a connection may fail when its other end, or a relay between the two, has aborted it. */
export const ABORT_CODES: readonly string[] = [
  'ECONNRESET',
  'EPIPE',
  // On Node 20 and 22 a reset of a TLS stream may look like a stream that was cut: see docs/compliance.md.
  'ERR_TLS_TRUNCATED',
];
