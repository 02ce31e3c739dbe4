// The events of one datagram socket, shared by all its subscribers. The end is replayed to those who subscribe later.
import { ContextSubscriber } from '@rxsock/core/internal';
import {
  concat,
  firstValueFrom,
  ReplaySubject,
  type SchedulerLike,
  Subject,
  type Subscriber,
  type Subscription,
  subscribeOn,
} from 'rxjs';
import type { DatagramCloseEvent, DatagramEvent, DatagramReport } from './events.js';

export class SharedEvents {
  /** All events except `close`. */
  readonly #events = new Subject<DatagramEvent>();
  /** The `close` event, and then the completion or the error. */
  readonly #end = new ReplaySubject<DatagramCloseEvent>(1);

  get hasSubscribers(): boolean {
    return this.#events.observed;
  }

  /** The report of the `close` event. Never rejects. */
  get closed(): Promise<DatagramReport> {
    return firstValueFrom(this.#end).then(({ report }) => report);
  }

  subscribe(subscriber: Subscriber<DatagramEvent>): Subscription {
    return concat(this.#events, this.#end).subscribe(new ContextSubscriber(subscriber));
  }

  /**
   * Replays the end on the next turn of the event loop, so that `retry()` on a closed socket does not block the loop.
   */
  replayEnd(subscriber: Subscriber<DatagramEvent>, scheduler: SchedulerLike): Subscription {
    return this.#end.pipe(subscribeOn(scheduler)).subscribe(new ContextSubscriber(subscriber));
  }

  emit(event: DatagramEvent): void {
    this.#events.next(event);
  }

  end(report: DatagramReport, failure: Error | undefined): void {
    this.#end.next({ type: 'close', report });
    if (failure) this.#end.error(failure);
    else this.#end.complete();
    this.#events.complete();
  }
}
