// Process warnings for connections that lose bytes while nobody is notified. Their number is bounded, because peers can
// cause as many losses as they like, and would fill the log.
import type { SocketError } from '../base/errors.js';

/** How many losses with one code are reported. */
const LIMIT = 10;

/** How many losses with each code there were. */
export const losses = new Map<string, number>();

/** Emits a process warning, unless there were many with this code before. */
export function warnOfLoss(error: SocketError): void {
  const { code } = error;
  const count = (losses.get(code) ?? 0) + 1;
  losses.set(code, count);
  if (count <= LIMIT) process.emitWarning(error);
  if (count === LIMIT)
    process.emitWarning(`Further connections that lose bytes with ${code} are not reported`, { code });
}
