// What subscribers do must not harm each other, nor the engine.
import { throwError } from 'rxjs';

/** Calls `act`. What it throws, a teardown's error for example, takes RxJS's way out for errors that nobody can be told. */
export function guarded(act: () => void): void {
  try {
    act();
  } catch (error) {
    throwError(() => error).subscribe();
  }
}
