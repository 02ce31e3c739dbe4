// A state that says how it changes: each change once, to everybody in the same order, and `closed` last.
import { BehaviorSubject, type Observable, takeWhile } from 'rxjs';

export class States<S extends string> {
  #current: S;
  /** Made when somebody asks: most never do. */
  #told: BehaviorSubject<S> | undefined;
  readonly #untold: S[] = [];
  #telling = false;

  constructor(first: S) {
    this.#current = first;
  }

  get current(): S {
    return this.#current;
  }

  /** Goes over to a state. Who watches hears of it at the next `tell`: by then what goes with it has been done. */
  set(state: S): void {
    if (state === this.#current || this.#current === 'closed') return;
    this.#current = state;
    if (this.#told) this.#untold.push(state);
  }

  /** Tells the changes. Who hears of one may bring about the next: that one is told when all have heard of this. */
  notify(): void {
    if (this.#telling) return;
    this.#telling = true;
    for (let state = this.#untold.shift(); state; state = this.#untold.shift()) this.#told?.next(state);
    this.#telling = false;
  }

  /** The state, then its changes; completes behind `closed`. */
  get changes(): Observable<S> {
    this.#told ??= new BehaviorSubject(this.#current);
    return this.#told.pipe(takeWhile((state) => state !== 'closed', true));
  }
}
