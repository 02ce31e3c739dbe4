// Who is subscribed to a datagram socket: told one thing at a time, also when telling one brings the next.
import { type Observer, Subject, type Subscriber, type Subscription, throwError } from 'rxjs';
import type { DatagramCloseEvent, DatagramEvent } from './events.js';

export class Audience {
  readonly #events = new Subject<DatagramEvent>();
  readonly #untold: ((observer: Observer<DatagramEvent>) => void)[] = [];
  #telling = false;

  get observed(): boolean {
    return this.#events.observed;
  }

  add(subscriber: Subscriber<DatagramEvent>): Subscription {
    return this.#events.subscribe(subscriber);
  }

  tell(event: DatagramEvent): void {
    this.#serially((observer) => observer.next(event));
  }

  /** The last event, and then the end of all subscriptions. */
  end(event: DatagramCloseEvent, failure: unknown): void {
    this.#serially((observer) => tellEnd(observer, event, failure));
  }

  #serially(act: (observer: Observer<DatagramEvent>) => void): void {
    this.#untold.push(act);
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#untold.shift(); next; next = this.#untold.shift()) {
      try {
        next(this.#events);
      } catch (error) {
        throwError(() => error).subscribe(); // a subscriber's teardown threw: RxJS's way out for what nobody can be told
      }
    }
    this.#telling = false;
  }
}

export function tellEnd(observer: Observer<DatagramEvent>, event: DatagramCloseEvent, failure: unknown): void {
  observer.next(event);
  if (failure) observer.error(failure);
  else observer.complete();
}
