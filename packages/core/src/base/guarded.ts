// Calls into user code that must not harm the engine or the other subscribers.
import { throwError } from 'rxjs';

/** Calls `run`. An error that it throws is reported. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    reportError(error);
  }
}

/** Reports an error as RxJS reports errors that nobody handles: in a later turn. */
export function reportError(error: unknown): void {
  throwError(() => error).subscribe();
}
