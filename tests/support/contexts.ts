// Users with an AsyncLocalStorage store each. Every callback must find the store of the user who gave it.
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Observable, tap } from 'rxjs';
import { type Recording, record } from './record.js';

const store = new AsyncLocalStorage<string>();

/** Calls a function as a user. What it starts belongs to that user, too. */
export function as<T>(user: string, run: () => T): T {
  return store.run(user, run);
}

/** Goes on as a user, also after the present function has returned. */
export function enterAs(user: string): void {
  store.enterWith(user);
}

/** The user in whose context this is called. */
export function currentUser(): string {
  return store.getStore() ?? 'nobody';
}

export interface Watched<T> extends Recording<T> {
  /** The users in whose contexts it was notified, without repetitions. */
  readonly users: Set<string>;
}

/** Subscribes as a user, and records what comes and in whose context it comes. */
export function watchAs<T>(user: string, source: Observable<T>): Watched<T> {
  const users = new Set<string>();
  const note = () => void users.add(currentUser());
  const noted = source.pipe(tap({ next: note, error: note, complete: note, finalize: note }));
  return { ...as(user, () => record(noted)), users };
}
