// The AsyncLocalStorage context of user code. Subscribers with different contexts can share a socket, a server or a
// pool, and any of them may cause an event. So a shared object keeps the context of each subscriber, and notifies the
// subscriber in that context.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { Subscriber } from 'rxjs';

/** The AsyncLocalStorage context of the code that creates it. `runInAsyncScope()` calls a function in it. */
export class AsyncContext extends AsyncResource {
  constructor() {
    // The object owns nothing, so Node need not call destroy hooks when it is garbage-collected.
    super('rxsock', { requireManualDestroy: true });
  }

  /**
   * Whether this is the context of the code that calls: `runInAsyncScope()` would change nothing. It is `false` also if
   * Node does not show it, as after a `run()` in the same function.
   */
  get isCurrent(): boolean {
    return showsStores() && haveSameStores(this, new AsyncContext());
  }
}

// Node keeps the stores of a resource under symbols of the resource. Beside them are its ids, which always differ.
function haveSameStores(a: AsyncContext, b: AsyncContext): boolean {
  const symbols = new Set([...Object.getOwnPropertySymbols(a), ...Object.getOwnPropertySymbols(b)]);
  const storeOf = (context: AsyncContext, symbol: symbol) => Reflect.get(context, symbol);
  return [...symbols].every(
    (symbol) => symbol.description?.endsWith('async_id_symbol') || storeOf(a, symbol) === storeOf(b, symbol),
  );
}

let shown: boolean | undefined;

/** Whether `haveSameStores` can tell contexts apart on this Node. */
function showsStores(): boolean {
  shown ??= canShowStores();
  return shown;
}

function canShowStores(): boolean {
  const storage = new AsyncLocalStorage<object>();
  // Up to Node 22. There, a trial would switch on the hooks of the whole process.
  if ('kResourceStore' in storage) return true;
  const outside = new AsyncContext();
  const isTold = () => {
    const inside = new AsyncContext();
    return haveSameStores(inside, new AsyncContext()) && !haveSameStores(inside, outside);
  };
  // `run()` leaves a trace in the context in which it is called.
  return outside.runInAsyncScope(() => storage.run({}, isTold));
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
