// The connections of a pool and the acquire() calls that wait for one:
//
//   dialling ──▶ inUse ──release──▶ releasing ──reusable──▶ idle ──▶ (validating) ──▶ inUse
//
// A connection that cannot be used again, or that nobody waits for any more, is discarded, whatever its state. It then
// has no state, does not count, and closes.
import type { Subscriber } from 'rxjs';
import { bindContext } from '../base/async-context.js';
import { closeWithin } from '../base/close-within.js';
import { livePools, type ObservedPool } from '../observe/live.js';
import { publishPoolError } from '../observe/reconnect-events.js';
import type { SocketFactory } from '../reconnect/socket-factory.js';
import type { Socket } from '../socket.js';
import { PoolError } from './errors.js';
import { PendingAcquire } from './pending-acquire.js';
import type { PoolLimits } from './pool-options.js';
import { PooledConnection } from './pooled-connection.js';

type PooledState = 'dialling' | 'validating' | 'releasing' | 'inUse' | 'idle';

export class PoolConnections implements ObservedPool {
  /** A stack: the connection that was released last is used first, so that surplus ones reach `idleTimeout`. */
  readonly idle: PooledConnection[] = [];
  readonly states = new Map<PooledConnection, PooledState>();
  readonly waiting = new Set<PendingAcquire>();
  /** The pool, for the diagnostics channels. */
  owner: object | undefined;
  lastFailure: ObservedPool['lastFailure'];
  closed = false;
  /** All connections that have not closed yet, discarded ones too. */
  readonly #unclosed = new Set<PooledConnection>();
  readonly #sockets: SocketFactory;
  readonly #limits: PoolLimits;
  readonly #onAllClosed: (() => void)[] = [];
  /** How many connections are dialling, validating or releasing: each is expected to serve one waiting acquire(). */
  #upcoming = 0;

  constructor(sockets: SocketFactory, limits: PoolLimits) {
    this.#sockets = sockets;
    this.#limits = limits;
    livePools.add(this);
  }

  get target(): string {
    return this.#sockets.target;
  }

  get max(): number {
    return this.#limits.max;
  }

  /** The sockets of the pool with what each does. */
  get sockets(): readonly { readonly state: string; readonly socket: Socket }[] {
    return [...this.states].map(([{ socket }, state]) => ({ state, socket }));
  }

  acquire(subscriber: Subscriber<Socket>): void {
    // It would never give a connection back.
    if (subscriber.closed) return;
    const { max, maxWaiting } = this.#limits;
    const acquire = new PendingAcquire(subscriber, this.#limits, this);
    if (this.closed) return acquire.failLater(closedError());
    subscriber.add(() => {
      acquire.leave();
      if (acquire.connection) this.#release(acquire.connection);
      else this.#discardSurplus();
    });
    acquire.wait();
    this.#serveWaiting();
    if (!this.waiting.has(acquire) || this.waiting.size - this.#upcoming <= maxWaiting) return;
    const message =
      `All ${max} connections (max) are in use and ${maxWaiting} acquire() calls wait already (maxWaiting): ` +
      'release connections sooner, or raise max or maxWaiting';
    acquire.failLater(new PoolError(message, { code: 'ERR_POOL_FULL' }));
  }

  /** Closes all connections, and aborts after `drain` milliseconds those that are still open. */
  async close(drain: number): Promise<void> {
    this.closed = true;
    for (const acquire of [...this.waiting]) acquire.fail(closedError());
    for (const [connection, state] of [...this.states]) if (state !== 'inUse') this.#discard(connection);
    const abort = () => {
      const reason = new Error(`the pool was closed and drain (${drain} ms) has passed`);
      for (const connection of [...this.#unclosed]) connection.abort(reason);
    };
    const allClosed = () =>
      this.#unclosed.size > 0 ? new Promise<void>((resolve) => this.#onAllClosed.push(resolve)) : undefined;
    await closeWithin(this.#limits.scheduler, drain, abort, allClosed);
    livePools.delete(this);
  }

  /** An `acquire()` fails. */
  acquireFailed(error: unknown): void {
    this.lastFailure = { at: this.#limits.scheduler.now(), error };
    publishPoolError(this.owner, error);
  }

  /** Makes sure that a connection is on its way to each waiting acquire(), as far as `max` allows. */
  #serveWaiting(): void {
    while (this.waiting.size > this.#upcoming && !this.closed) {
      const connection = this.idle.pop();
      if (connection) this.#reuse(connection);
      else if (this.states.size < this.#limits.max) this.#dial();
      else return;
    }
  }

  // Runs in the context of the code that created the pool: the connection outlives the acquire() that waits for it.
  readonly #dial = bindContext(() => this.#addConnection());

  #addConnection(): void {
    let socket: Socket;
    try {
      socket = this.#sockets.make();
    } catch (error) {
      const [first] = this.waiting;
      return first?.failLater(error);
    }
    // The user's function may have closed the pool, or used it.
    const isNeeded = !this.closed && this.waiting.size > this.#upcoming && this.states.size < this.#limits.max;
    if (!isNeeded) return socket.error(new Error('no acquire() waits for it any more'));
    const connection = new PooledConnection(socket, this.#limits, {
      onOpen: () => {
        if (this.#finish(connection, 'dialling')) this.#serveFirst(connection);
      },
      onUnusable: () => this.#discard(connection),
      onClosed: (error) => {
        const dialFailed = this.states.get(connection) === 'dialling';
        this.#unclosed.delete(connection);
        this.#forget(connection);
        const [first] = this.waiting;
        if (dialFailed) first?.fail(error);
        this.#serveWaiting();
        if (this.#unclosed.size === 0) for (const onAllClosed of this.#onAllClosed.splice(0)) onAllClosed();
      },
    });
    this.#unclosed.add(connection);
    this.states.set(connection, 'dialling');
    this.#upcoming++;
    connection.dial();
  }

  /** Uses an idle connection again, after `validate`. */
  #reuse(connection: PooledConnection): void {
    connection.endIdle();
    if (!connection.isReusable) return this.#discard(connection);
    if (!this.#limits.validate) return this.#serveFirst(connection);
    this.states.set(connection, 'validating');
    // The acquire() calls before this one are served by connections that are on their way already.
    const acquire = [...this.waiting][this.#upcoming++] as PendingAcquire;
    const validated = (valid: boolean) => {
      if (!this.#finish(connection, 'validating')) return;
      if (!valid) this.#discard(connection, 'validate found that it does not work');
      // Becomes idle for a moment: that shows whether `validate` has left bytes unread.
      else if (!connection.beginIdle()) this.#discard(connection);
      else {
        connection.endIdle();
        this.#serveFirst(connection);
      }
      this.#serveWaiting();
    };
    acquire.runInContext(() => connection.validate(validated));
  }

  /** Gives a connection to the first waiting acquire(). Without one it becomes idle. */
  #serveFirst(connection: PooledConnection): void {
    const [first] = this.waiting;
    if (!first) return this.#becomeIdle(connection);
    this.states.set(connection, 'inUse');
    first.resolve(connection);
  }

  // After the current task: until then, subscribers of the user may still be leaving the socket and giving bytes back.
  #release(connection: PooledConnection): void {
    if (this.states.get(connection) !== 'inUse') return;
    this.states.set(connection, 'releasing');
    this.#upcoming++;
    queueMicrotask(() => {
      if (!this.#finish(connection, 'releasing')) return;
      this.#becomeIdle(connection);
      this.#serveWaiting();
    });
  }

  // Runs in the context of the code that created the pool, so that an idle connection keeps nothing of its last user.
  readonly #becomeIdle = bindContext((connection: PooledConnection) => {
    if (this.closed || !connection.beginIdle()) return this.#discard(connection);
    this.states.set(connection, 'idle');
    this.idle.push(connection);
  });

  /** @param abortReason If given, aborts the connection; otherwise it closes gracefully. */
  #discard(connection: PooledConnection, abortReason?: string): void {
    this.#forget(connection);
    connection.close(abortReason);
  }

  #forget(connection: PooledConnection): void {
    const state = this.states.get(connection);
    if (state !== undefined && state !== 'inUse' && state !== 'idle') this.#upcoming--;
    this.states.delete(connection);
    const index = this.idle.indexOf(connection);
    if (index >= 0) this.idle.splice(index, 1);
  }

  /** Ends dialling, validating or releasing. Returns `false` if the connection was discarded meanwhile. */
  #finish(connection: PooledConnection, state: PooledState): boolean {
    if (this.states.get(connection) !== state) return false;
    this.#upcoming--;
    this.states.set(connection, 'inUse');
    return true;
  }

  /** Discards connections that are dialling and that nobody waits for any more, the newest first. */
  #discardSurplus(): void {
    const dialling = [...this.states].filter(([, state]) => state === 'dialling').map(([connection]) => connection);
    while (this.#upcoming > this.waiting.size) {
      const newest = dialling.pop();
      if (!newest) return;
      this.#discard(newest, 'no acquire() waits for it any more');
    }
  }

  /** Describes the pool, for the message of a timeout. */
  describe(): string {
    const { states, waiting } = this;
    return `the pool has ${states.size} of ${this.#limits.max} connections (max) and ${waiting.size} waiting acquire()`;
  }
}

function closedError(): PoolError {
  return new PoolError('The pool is closed: make a new one with connectionPool()', { code: 'ERR_POOL_CLOSED' });
}
