// A state that can be observed. Every observer receives every change once, in the same order. The last state is
// `closed`.
import { BehaviorSubject, Observable, takeWhile } from 'rxjs';
import { ContextSubscriber } from './async-context.js';

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

  /** Notifies observers of the changes. If an observer causes another change, all observers receive this one first. */
  notify(): void {
    if (this.#notifying) return;
    this.#notifying = true;
    for (let state = this.#pending.shift(); state; state = this.#pending.shift()) this.#subject?.next(state);
    this.#notifying = false;
  }

  /** The current state, then every change. Completes after `closed`. */
  get changes(): Observable<S> {
    this.#subject ??= new BehaviorSubject(this.#current);
    const subject = this.#subject;
    const states = new Observable<S>((subscriber) => subject.subscribe(new ContextSubscriber(subscriber)));
    return states.pipe(takeWhile((state) => state !== 'closed', true));
  }
}
