// Pools of connections to plain servers, on virtual time.
import {
  type ConnectionPool,
  type ConnectionPoolOptions,
  type ConnectOptions,
  connect,
  connectionPool,
  type Socket,
} from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import type { Subscription } from 'rxjs';
import { onTestFinished } from 'vitest';

/** A pool on a virtual clock. It is closed when the test is over. */
export function poolOf(
  port: number | (() => number),
  options: ConnectionPoolOptions = {},
  socket: Partial<ConnectOptions> = {},
): { readonly pool: ConnectionPool; readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  const dial = () => connect({ host: '127.0.0.1', ...socket, port: typeof port === 'number' ? port : port() });
  const pool = connectionPool(dial, { scheduler: clock, ...options });
  onTestFinished(() => pool.close({ drain: 0 }));
  return { pool, clock };
}

/** An acquired connection. `release` gives it back to the pool. */
export interface Acquired {
  readonly socket: Socket;
  release(): void;
}

/** Acquires a connection. */
export function acquire(pool: ConnectionPool): Promise<Acquired> {
  return new Promise((resolve, reject) => {
    const subscription: Subscription = pool.acquire().subscribe({
      next: (socket) => resolve({ socket, release: () => subscription.unsubscribe() }),
      error: reject,
    });
  });
}
