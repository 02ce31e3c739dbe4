// The connections of a pool, and who waits for one:
//
//   dialling ──▶ used ──given back──▶ returning ──fit──▶ idle ──▶ (checking) ──▶ used
//
// Whatever is not fit any more, or not needed, is dropped from any of these: it is no member then, and closes.
import type { Subscriber } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { PoolError, type PoolErrorCode } from '../reconnect/errors.js';
import type { SocketFactory } from '../reconnect/socket-factory.js';
import type { Socket } from '../socket.js';
import type { PoolLimits } from './pool-options.js';
import { PooledConnection } from './pooled-connection.js';

/** One `acquire()` that has no connection yet. */
interface Waiter {
  take(connection: PooledConnection): void;
  fail(error: unknown): void;
  /** As `fail`, on the next turn, so that a retry does not spin. */
  refuse(error: unknown): void;
}

type PooledState = 'dialling' | 'checking' | 'returning' | 'used' | 'idle';

export class PoolConnections {
  /** The last to come is the first to go, so that those which are not needed grow old. */
  readonly idle: PooledConnection[] = [];
  readonly states = new Map<PooledConnection, PooledState>();
  readonly waiting = new Set<Waiter>();
  /** Those that are not gone, the closing ones too. */
  readonly #all = new Set<PooledConnection>();
  readonly #sockets: SocketFactory;
  readonly #limits: PoolLimits;
  readonly #emptied: (() => void)[] = [];
  /** How many are being dialled, checked or given back: so many of the waiting will be served. */
  #coming = 0;
  #closed = false;

  constructor(sockets: SocketFactory, limits: PoolLimits) {
    this.#sockets = sockets;
    this.#limits = limits;
  }

  acquire(subscriber: Subscriber<Socket>): void {
    const { acquireTimeout, scheduler, max, maxWaiting } = this.#limits;
    let taken: PooledConnection | undefined;
    const deadline = new Deadline(scheduler, acquireTimeout, () => {
      const message = `No connection was to be had within acquireTimeout (${acquireTimeout} ms): ${this.#census()}`;
      waiter.fail(poolError('ERR_POOL_TIMEOUT', message));
    });
    const leave = () => {
      deadline.stop();
      this.waiting.delete(waiter);
    };
    const waiter: Waiter = {
      take: (connection) => {
        leave();
        taken = connection;
        subscriber.next(connection.socket);
      },
      fail: (error) => {
        leave();
        subscriber.error(error);
      },
      refuse: (error) => {
        leave();
        subscriber.add(scheduler.schedule(() => subscriber.error(error)));
      },
    };
    if (this.#closed) return waiter.refuse(closedError());
    subscriber.add(() => {
      leave();
      if (taken) this.#giveBack(taken);
      else this.#cancelSurplus();
    });
    this.waiting.add(waiter);
    deadline.start();
    this.#serve();
    if (!this.waiting.has(waiter) || this.waiting.size - this.#coming <= maxWaiting) return;
    const message = `All ${max} connections (max) are taken and ${maxWaiting} wait for one (maxWaiting)`;
    waiter.refuse(poolError('ERR_POOL_FULL', message));
  }

  async close(drain: number): Promise<void> {
    this.#closed = true;
    for (const waiter of [...this.waiting]) waiter.fail(closedError());
    for (const [connection, state] of [...this.states]) if (state !== 'used') this.#drop(connection);
    const cut = () => {
      for (const { socket } of [...this.#all]) socket.error(new Error(`the pool was closed, drain: ${drain} ms`));
    };
    const deadline = new Deadline(this.#limits.scheduler, drain, cut);
    if (drain === 0) cut();
    else deadline.start();
    if (this.#all.size > 0) await new Promise<void>((resolve) => this.#emptied.push(resolve));
    deadline.stop();
  }

  /** Sees to it that for each who waits one comes, as far as there may be more. */
  #serve(): void {
    while (this.waiting.size > this.#coming && !this.#closed) {
      const connection = this.idle.pop();
      if (connection) this.#reuse(connection);
      else if (this.states.size < this.#limits.max) this.#dial();
      else return;
    }
  }

  #dial(): void {
    let socket: Socket;
    try {
      socket = this.#sockets.make();
    } catch (error) {
      const [first] = this.waiting;
      return first?.refuse(error);
    }
    const connection = new PooledConnection(socket, this.#limits, {
      opened: () => {
        if (this.#arrived(connection, 'dialling')) this.#offer(connection);
      },
      done: () => this.#drop(connection),
      gone: (error) => {
        const failed = this.states.get(connection) === 'dialling';
        this.#all.delete(connection);
        this.#forget(connection);
        const [first] = this.waiting;
        if (failed) first?.fail(error);
        this.#serve();
        if (this.#all.size === 0) for (const resolve of this.#emptied.splice(0)) resolve();
      },
    });
    this.#all.add(connection);
    this.states.set(connection, 'dialling');
    this.#coming++;
    connection.dial();
  }

  #reuse(connection: PooledConnection): void {
    connection.wake();
    if (!connection.fit) return this.#drop(connection);
    if (!this.#limits.validate) return this.#offer(connection);
    this.states.set(connection, 'checking');
    this.#coming++;
    connection.validate((valid) => {
      if (!this.#arrived(connection, 'checking')) return;
      if (!valid) this.#drop(connection, 'it was found not to be valid');
      else if (!connection.rest()) this.#drop(connection);
      else {
        connection.wake();
        this.#offer(connection);
      }
      this.#serve();
    });
  }

  /** Gives a connection to the first who waits, or lets it lie. */
  #offer(connection: PooledConnection): void {
    const [first] = this.waiting;
    if (!first) return this.#rest(connection);
    this.states.set(connection, 'used');
    first.take(connection);
  }

  // When the present task is done: until then what the leaving user has subscribed to the socket may still be leaving too.
  #giveBack(connection: PooledConnection): void {
    if (this.states.get(connection) !== 'used') return;
    this.states.set(connection, 'returning');
    this.#coming++;
    queueMicrotask(() => {
      if (!this.#arrived(connection, 'returning')) return;
      this.#rest(connection);
      this.#serve();
    });
  }

  #rest(connection: PooledConnection): void {
    if (this.#closed || !connection.rest()) return this.#drop(connection);
    this.states.set(connection, 'idle');
    this.idle.push(connection);
  }

  /** @param reason For which it is aborted. */
  #drop(connection: PooledConnection, reason?: string): void {
    this.#forget(connection);
    connection.end(reason);
  }

  #forget(connection: PooledConnection): void {
    const state = this.states.get(connection);
    if (state !== undefined && state !== 'used' && state !== 'idle') this.#coming--;
    this.states.delete(connection);
    const at = this.idle.indexOf(connection);
    if (at >= 0) this.idle.splice(at, 1);
  }

  /** Whether what a connection was doing is done; if it was given up meanwhile it is not. */
  #arrived(connection: PooledConnection, state: PooledState): boolean {
    if (this.states.get(connection) !== state) return false;
    this.#coming--;
    this.states.set(connection, 'used');
    return true;
  }

  /** Gives up what is being dialled for those who wait no more. */
  #cancelSurplus(): void {
    const dialling = [...this.states].filter(([, state]) => state === 'dialling').map(([connection]) => connection);
    while (this.#coming > this.waiting.size) {
      const newest = dialling.pop();
      if (!newest) return;
      this.#drop(newest, 'nobody waits for it any more');
    }
  }

  #census(): string {
    const { states, waiting } = this;
    return `${states.size} of ${this.#limits.max} (max) are there, and ${waiting.size} wait for one`;
  }
}

function poolError(code: PoolErrorCode, message: string): PoolError {
  return new PoolError(message, { code });
}

function closedError(): PoolError {
  return poolError('ERR_POOL_CLOSED', 'The pool is closed: it gives no connection any more');
}
