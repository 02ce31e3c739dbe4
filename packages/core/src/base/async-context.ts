// The AsyncLocalStorage context of user code. Subscribers with different contexts can share a socket, a server or a
// pool, and any of them may cause an event. So a shared object keeps the context of each subscriber, and notifies the
// subscriber in that context.
import { AsyncResource } from 'node:async_hooks';
import { Subscriber } from 'rxjs';

/** The AsyncLocalStorage context of the code that creates it. `runInAsyncScope()` calls a function in it. */
export class AsyncContext extends AsyncResource {
  constructor() {
    // The object owns nothing, so Node need not call destroy hooks when it is garbage-collected.
    super('rxsock', { requireManualDestroy: true });
  }
}

/** Returns a function that calls `run` in the current context. Cheaper than `AsyncResource.bind()`. */
export function bindContext<A extends unknown[]>(run: (...args: A) => void): (...args: A) => void {
  const context = new AsyncContext();
  return (...args) => context.runInAsyncScope(run, undefined, ...args);
}

/** Passes all notifications on to its destination, in the context of the code that creates it. */
export class ContextSubscriber<T> extends Subscriber<T> {
  readonly context = new AsyncContext();

  protected override _next(value: T): void {
    this.context.runInAsyncScope(super._next, this, value);
  }

  protected override _error(error: unknown): void {
    this.context.runInAsyncScope(super._error, this, error);
  }

  protected override _complete(): void {
    this.context.runInAsyncScope(super._complete, this);
  }
}
