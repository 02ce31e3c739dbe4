// A state that can be observed: every change once, in the same order for all observers, with `closed` as the last.
import { BehaviorSubject, type Observable, takeWhile } from 'rxjs';

export class States<S extends string> {
  #current: S;
  /** Created at the first request for `changes`: most states are never observed. */
  #subject: BehaviorSubject<S> | undefined;
  readonly #pending: S[] = [];
  #notifying = false;

  constructor(initial: S) {
    this.#current = initial;
  }

  get current(): S {
    return this.#current;
  }

  /** Changes the state. Observers are notified by the next `notify()`, after the side effects of the change. */
  set(state: S): void {
    if (state === this.#current || this.#current === 'closed') return;
    this.#current = state;
    if (this.#subject) this.#pending.push(state);
  }

  /** Notifies observers of the changes. A change that an observer causes follows when all have received this one. */
  notify(): void {
    if (this.#notifying) return;
    this.#notifying = true;
    for (let state = this.#pending.shift(); state; state = this.#pending.shift()) this.#subject?.next(state);
    this.#notifying = false;
  }

  /** The current state, then every change. Completes after `closed`. */
  get changes(): Observable<S> {
    this.#subject ??= new BehaviorSubject(this.#current);
    return this.#subject.pipe(takeWhile((state) => state !== 'closed', true));
  }
}
