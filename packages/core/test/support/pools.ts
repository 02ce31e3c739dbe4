// Pools of connections to plain servers, on virtual time.
import {
  type ConnectionPool,
  type ConnectionPoolOptions,
  type ConnectOptions,
  connect,
  connectionPool,
  type Socket,
} from '@rxsock/core';
import type { Subscription } from 'rxjs';
import { onTestFinished } from 'vitest';
import { Clock } from '../../../../tests/support/clock.js';

/** A pool whose own time passes by the clock only; closed when the test is over. */
export function poolOf(
  port: number | (() => number),
  options: ConnectionPoolOptions = {},
  socket: Partial<ConnectOptions> = {},
): { readonly pool: ConnectionPool; readonly clock: Clock } {
  const clock = new Clock();
  const dial = () => connect({ host: '127.0.0.1', ...socket, port: typeof port === 'number' ? port : port() });
  const pool = connectionPool(dial, { scheduler: clock, ...options });
  onTestFinished(() => pool.close({ drain: 0 }));
  return { pool, clock };
}

/** One that has got its connection, until `giveBack` is called. */
export interface Loan {
  readonly socket: Socket;
  giveBack(): void;
}

/** Acquires a connection. */
export function borrow(pool: ConnectionPool): Promise<Loan> {
  return new Promise((resolve, reject) => {
    const subscription: Subscription = pool.acquire().subscribe({
      next: (socket) => resolve({ socket, giveBack: () => subscription.unsubscribe() }),
      error: reject,
    });
  });
}
