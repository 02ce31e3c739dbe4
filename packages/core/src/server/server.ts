// A listening server: an Observable of typed events that its subscribers share.
//
//   idle ──first subscriber──▶ opening ──▶ listening ──last subscriber leaves, close()──▶ closing ──▶ closed
//   A server that cannot listen goes from opening to closed. In closing it waits for its connections.
import type * as net from 'node:net';
import { type InspectOptions, inspect } from 'node:util';
import { Observable, type Observer, Subject } from 'rxjs';
import { onAbortSignal } from '../base/abort-signals.js';
import { ContextSubscriber } from '../base/async-context.js';
import { checkOptions, checkTimeout } from '../base/check.js';
import { closeWithin } from '../base/close-within.js';
import { markCopy } from '../base/copy.js';
import type { Endpoint } from '../base/endpoint.js';
import { SocketError } from '../base/errors.js';
import type { Registrable } from '../base/registrable.js';
import { States } from '../base/states.js';
import type { TransportType } from '../engine/transport.js';
import { idOf } from '../observe/ids.js';
import { inspected, plural } from '../observe/inspect.js';
import { plainProperties } from '../observe/plain-properties.js';
import { publishServerClose, publishServerEvent, serverOpens } from '../observe/server-events.js';
import { controlOf, type Socket } from '../socket.js';
import { AcceptedConnections, type AcceptedLimits, type AcceptTransport } from './accepted.js';
import type { ListeningEvent, ServerCloseEvent, ServerEvent } from './events.js';

/** How a transport listens: what distinguishes its servers from those of other transports. */
export interface ServerTransport<A extends Endpoint> extends AcceptTransport {
  /** Starts to listen. Called once. The streams that the Node server accepts are paused. */
  open(): net.Server;
  /** Returns the address that the Node server listens on. */
  addressOf(server: net.Server): A;
  /**
   * Called when another process has taken over the socket: when this server closes, it must not remove the socket's
   * file.
   */
  readonly surrender?: (server: net.Server) => void;
}

/** The limits of a {@link Server}. */
export interface ServerLimits extends AcceptedLimits {
  readonly signal: AbortSignal | undefined;
}

/** See {@link Server.readyState}. */
export type ServerState = 'idle' | 'opening' | 'listening' | 'closing' | 'closed';

/** Tells the transport that another process has taken over the socket of a server: see `handOver`. */
let surrender: (server: Server) => void;

/**
 * A server: an Observable of {@link ServerEvent}s. The first subscription starts to listen. When the last subscriber
 * has left, the server stops accepting; the sockets that it has accepted stay open.
 *
 * **Backpressure**: a server has no Flow, because Node cannot pause accepting. Accepted sockets wait, open and paused,
 * up to `maxConnections`.
 *
 * @see https://nodejs.org/api/net.html#class-netserver
 * @example
 * ```ts
 * import { connections, data, listen } from '@rxsock/core';
 *
 * listen({ port: 7000 })
 *   .pipe(connections())
 *   .subscribe((socket) => socket.pipe(data()).subscribe({ next: console.log, error: console.error }));
 * ```
 */
export class Server<A extends Endpoint = Endpoint>
  extends Observable<ServerEvent<A>>
  implements Registrable<ServerEvent<A>>, AsyncDisposable
{
  readonly #transport: ServerTransport<A>;
  readonly #limits: ServerLimits;
  readonly #states = new States<ServerState>('idle');
  readonly #events = new Subject<ServerEvent<A>>();
  readonly #accepted: AcceptedConnections;
  #server: net.Server | undefined;
  #listening: ListeningEvent<A> | undefined;
  #failure: SocketError | undefined;
  /** Resolves when the server is closed. */
  #closed: Promise<void> | undefined;
  #resolveClosed: (() => void) | undefined;
  #ignoreSignal: (() => void) | undefined;
  /** A name for logs and registries. */
  name = '';
  /** Any value that you want to keep with the server. */
  mark: unknown;

  /** @internal Created by `listen`. */
  constructor(transport: ServerTransport<A>, limits: ServerLimits) {
    super((destination) => {
      const subscriber = new ContextSubscriber(destination);
      // In the next turn, so that a `retry` of a closed server does not loop in this one.
      if (this.readyState === 'closed') return limits.socket.scheduler.schedule(() => this.#emitEnd(subscriber));
      if (this.#listening) subscriber.next(this.#listening);
      const subscription = this.#events.subscribe(subscriber);
      this.#listen();
      return () => {
        subscription.unsubscribe();
        if (!this.#events.observed) this.#stopAccepting();
      };
    });
    this.#transport = transport;
    this.#limits = limits;
    this.#accepted = new AcceptedConnections(transport, limits, {
      emit: (event) => this.#emit(event),
      emptied: () => this.#concludeIfEmpty(),
    });
  }

  static {
    markCopy(Server.prototype);
    surrender = (server) => {
      if (server.#server) server.#transport.surrender?.(server.#server);
    };
  }

  /** The number of the server: see {@link Socket.id}. */
  get id(): number {
    return idOf(this);
  }

  /** The state: `idle` (nobody has subscribed), `opening`, `listening`, `closing` (accepts no more) or `closed`. */
  get readyState(): ServerState {
    return this.#states.current;
  }

  /**
   * The current `readyState`, then every change. Completes after `closed`. A subscription neither listens nor keeps the
   * server open.
   */
  get readyStates(): Observable<ServerState> {
    return this.#states.changes;
  }

  /** What carries the bytes of its sockets: see {@link Socket.type}. */
  get type(): TransportType {
    return this.#transport.type;
  }

  /** The address that the server listens on; `undefined` while it does not listen. */
  get address(): A | undefined {
    return this.#listening?.address;
  }

  /**
   * The descriptor that the server listens on, which another process can inherit: see `handOver` of
   * `@rxsock/core/process`. `undefined` while the server does not listen, on Windows, and in a cluster worker, which
   * has none.
   */
  get fd(): number | undefined {
    const { _handle: handle } = (this.#server ?? {}) as { readonly _handle?: { readonly fd?: number } | null };
    return this.#listening && handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
  }

  /** The sockets that are open now. */
  get sockets(): ReadonlySet<Socket> {
    return this.#accepted.sockets;
  }

  /**
   * Stops accepting, emits `draining`, waits for the connections, and aborts those that are still open after `drain`.
   *
   * @param options `drain`: in milliseconds. 0 aborts the connections at once, Infinity never. Default: 10,000.
   * @returns Resolves when all connections are closed. Never rejects.
   * @throws At the call: TypeError or RangeError for an invalid `drain`.
   */
  close(options: { readonly drain?: number | undefined } = {}): Promise<void> {
    checkOptions(options, '{ drain: 5000 }');
    const { drain = 10_000 } = options;
    checkTimeout('drain', drain);
    if (this.readyState === 'idle') this.#conclude();
    if (this.#isAccepting) this.#emit({ type: 'draining' });
    this.#stopAccepting();
    const abort = () => this.#accepted.abort(new Error(`the server closed and drain (${drain} ms) has passed`));
    return closeWithin(this.#limits.socket.scheduler, drain, abort, () => this.#closed);
  }

  /** Closes gracefully at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal One line for logs. A depth that is asked for, as `{ depth: 1 }`, adds the properties. */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    return inspected('Server', this, depth, options, () => ({
      facts: [plural(this.sockets.size, 'socket')],
      more: () => ({ ...plainProperties(this), sockets: [...this.sockets] }),
    }));
  }

  #listen(): void {
    if (this.readyState !== 'idle') return;
    this.#states.set('opening');
    serverOpens(this);
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const server = this.#transport.open();
    this.#server = server;
    server.on('listening', () => {
      if (this.readyState !== 'opening') return;
      this.#listening = { type: 'listening', address: this.#transport.addressOf(server) };
      this.#states.set('listening');
      this.#emit(this.#listening);
      this.#states.notify();
    });
    this.#accepted.listenTo(server);
    server.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
    // Node emits this when the streams are gone, which may be before their sockets have delivered everything.
    server.on('close', () => {
      this.#server = undefined;
      this.#concludeIfEmpty();
    });
    if (this.#limits.signal) this.#ignoreSignal = onAbortSignal(this.#limits.signal, this.#onSignal);
    if (this.#limits.signal?.aborted) this.#onSignal();
    this.#states.notify();
  }

  // Before the server listens, an error ends it. Later errors are about a connection that could not be accepted.
  #failed(cause: NodeJS.ErrnoException): void {
    const errorFor = (what: string) =>
      new SocketError(`${what} on ${this.#transport.target}: ${cause.message}`, {
        code: cause.code ?? 'EIO',
        phase: 'open',
        cause,
      });
    if (this.#listening) {
      return this.#accepted.drop('acceptError', undefined, errorFor('Cannot accept a connection'));
    }
    this.#failure = cause instanceof SocketError ? cause : errorFor('Cannot listen');
    this.#conclude();
  }

  #stopAccepting(): void {
    if (!this.#isAccepting) return;
    this.#states.set('closing');
    this.#server?.close();
    this.#states.notify();
  }

  get #isAccepting(): boolean {
    return this.readyState === 'opening' || this.readyState === 'listening';
  }

  #concludeIfEmpty(): void {
    if (!this.#server && this.sockets.size === 0) this.#conclude();
  }

  #conclude(): void {
    if (this.readyState === 'closed') return;
    this.#states.set('closed');
    this.#listening = undefined;
    this.#ignoreSignal?.();
    this.#resolveClosed?.();
    this.#states.notify();
    publishServerClose(this, this.#failure);
    this.#emitEnd(this.#events);
  }

  #emit(event: Exclude<ServerEvent<A>, ServerCloseEvent>): void {
    publishServerEvent(this, event);
    if (event.type === 'connection') controlOf(event.socket).announce();
    this.#events.next(event);
  }

  #emitEnd(observer: Observer<ServerEvent<A>>): void {
    if (this.#failure) return observer.error(this.#failure);
    observer.next({ type: 'close' });
    observer.complete();
  }

  readonly #onSignal = () => {
    this.#stopAccepting();
    this.#accepted.abort(this.#limits.signal?.reason);
  };
}

export { surrender };
