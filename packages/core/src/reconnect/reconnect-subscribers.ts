// Who is subscribed to a reconnecting link, and what happens when the last one leaves: nothing is lost until the next turn.
import { type SchedulerLike, Subject, type Subscriber, type Subscription } from 'rxjs';
import { Brake, type Flow } from '../flow/flow.js';
import type { ReconnectEvent } from './reconnect-events.js';

export class ReconnectSubscribers {
  /** How the present connection came about, told to those who come later. */
  #replayed: ReconnectEvent[] = [];
  readonly #scheduler: SchedulerLike;
  readonly #left: () => boolean;
  readonly #events = new Subject<ReconnectEvent>();
  readonly #unheard: Brake;
  #departure: Subscription | undefined;
  #end: { readonly error?: unknown } | undefined;

  /** @param left Called when the last one has left and none has come by the next turn; answers whether that was the end of it. */
  constructor(flow: Flow, scheduler: SchedulerLike, left: () => boolean) {
    this.#unheard = new Brake(flow, 'reconnect: everybody has left');
    this.#scheduler = scheduler;
    this.#left = left;
  }

  get empty(): boolean {
    return !this.#events.observed;
  }

  /** Adds a subscriber. @param start Called before anything is let through to it. */
  add(subscriber: Subscriber<ReconnectEvent>, start: () => void): void {
    // On the next turn, so that a retry of a dead link does not spin.
    if (this.#end) return void subscriber.add(this.#scheduler.schedule(() => this.#finish(subscriber)));
    this.#stay();
    for (const event of this.#replayed) subscriber.next(event);
    this.#events.subscribe(subscriber);
    // After the line above: only then has it left when this asks who is there.
    subscriber.add(() => this.#memberLeft());
    start();
    if (this.#events.observed) this.#unheard.off();
  }

  emit(event: ReconnectEvent): void {
    if (event.type === 'connect' || event.type === 'secureConnect') this.#replayed.push(event);
    else if (event.type === 'disconnect') this.#replayed = [];
    this.#events.next(event);
  }

  /** The end of all subscriptions, now and for those who come later; it completes unless there is an error. */
  close(error?: unknown): void {
    this.#stay();
    this.#end = error === undefined ? {} : { error };
    this.#finish(this.#events);
  }

  #stay(): void {
    this.#departure?.unsubscribe();
    this.#departure = undefined;
  }

  #memberLeft(): void {
    if (this.#events.observed || this.#end) return;
    this.#unheard.on();
    this.#departure ??= this.#scheduler.schedule(() => {
      this.#departure = undefined;
      if (this.#left()) this.#replayed = [];
      this.#unheard.off();
    });
  }

  #finish(observer: Pick<Subscriber<ReconnectEvent>, 'error' | 'complete'>): void {
    if (this.#end && 'error' in this.#end) observer.error(this.#end.error);
    else observer.complete();
  }
}
