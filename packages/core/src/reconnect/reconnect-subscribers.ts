// The subscribers of a reconnecting socket. When the last one leaves, the connection stays until the next turn, held,
// so that a subscriber that comes in the same turn loses nothing.
import { type SchedulerLike, Subject, type Subscriber, type Subscription } from 'rxjs';
import { ContextSubscriber } from '../base/async-context.js';
import type { Flow } from '../flow/flow.js';
import { Brake } from '../flow/holds.js';
import type { ReconnectEvent } from './reconnect-events.js';

export class ReconnectSubscribers {
  /** The `connect` and `secureConnect` of the current connection: later subscribers receive them too. */
  #replayed: ReconnectEvent[] = [];
  readonly #scheduler: SchedulerLike;
  readonly #onAllLeft: () => boolean;
  readonly #events = new Subject<ReconnectEvent>();
  /** On from the moment the last subscriber leaves until another one comes, or everything has stopped. */
  readonly #brake: Brake;
  #departure: Subscription | undefined;
  #end: { readonly error?: unknown } | undefined;

  /**
   * @param onAllLeft Called if the last subscriber has left and no other has come by the next turn. Returns `false` if
   * the connection goes on.
   */
  constructor(flow: Flow, scheduler: SchedulerLike, onAllLeft: () => boolean) {
    this.#brake = new Brake(flow, 'reconnect: no subscriber');
    this.#scheduler = scheduler;
    this.#onAllLeft = onAllLeft;
  }

  get empty(): boolean {
    return !this.#events.observed;
  }

  /**
   * Adds a subscriber. After the end it is notified of the end instead.
   * @param start Dials if nothing has dialled yet. Called before the hold for missing subscribers is released.
   */
  add(destination: Subscriber<ReconnectEvent>, start: () => void): void {
    const subscriber = new ContextSubscriber(destination);
    // On the next turn, so that `retry()` of a closed reconnecting socket does not spin.
    if (this.#end) return void subscriber.add(this.#scheduler.schedule(() => this.#notifyEnd(subscriber)));
    this.#cancelDeparture();
    for (const event of this.#replayed) subscriber.next(event);
    this.#events.subscribe(subscriber);
    // Added after the Subject's own teardown, so that `observed` no longer counts this subscriber.
    subscriber.add(() => this.#subscriberLeft());
    start();
    if (this.#events.observed) this.#brake.off();
  }

  emit(event: ReconnectEvent): void {
    if (event.type === 'connect' || event.type === 'secureConnect') this.#replayed.push(event);
    else if (event.type === 'disconnect') this.#replayed = [];
    this.#events.next(event);
  }

  /** Ends all subscriptions, and all later ones: with the error if there is one, otherwise with a completion. */
  end(error?: unknown): void {
    this.#cancelDeparture();
    this.#end = error === undefined ? {} : { error };
    this.#notifyEnd(this.#events);
  }

  #cancelDeparture(): void {
    this.#departure?.unsubscribe();
    this.#departure = undefined;
  }

  #subscriberLeft(): void {
    if (this.#events.observed || this.#end) return;
    this.#brake.on();
    this.#departure ??= this.#scheduler.schedule(() => {
      this.#departure = undefined;
      if (this.#onAllLeft()) this.#replayed = [];
      this.#brake.off();
    });
  }

  #notifyEnd(observer: Pick<Subscriber<ReconnectEvent>, 'error' | 'complete'>): void {
    if (this.#end && 'error' in this.#end) observer.error(this.#end.error);
    else observer.complete();
  }
}
