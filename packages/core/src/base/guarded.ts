// Calls into user code that must not harm the engine or the other subscribers.
import { throwError } from 'rxjs';

/** Calls `run`. An error that it throws is reported as RxJS reports errors that nobody handles: in a later turn. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    throwError(() => error).subscribe();
  }
}
