// A listening server: an Observable of typed events that its subscribers share.
import type net from 'node:net';
import { Observable, type Observer, Subject } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import type { Endpoint } from '../base/endpoint.js';
import { SocketError } from '../base/errors.js';
import type { ListeningEvent, ServerEvent } from '../base/events.js';
import type { Registrable } from '../base/registrable.js';
import { States } from '../base/states.js';
import type { TransportType } from '../engine/transport.js';
import type { Socket } from '../socket.js';
import { AcceptedConnections, type AcceptedLimits, type AcceptTransport } from './accepted.js';

/** How a transport listens: all that tells one transport's server from another's. */
export interface ServerTransport<A extends Endpoint> extends AcceptTransport {
  /** Begins to listen; called once. The streams it accepts are paused. */
  open(): net.Server;
  /** Where it listens. */
  addressOf(server: net.Server): A;
  /** Another process listens there from now on: what is in the file system stays when this one closes. */
  readonly surrender?: (server: net.Server) => void;
}

/** Limits of a {@link Server}. */
export interface ServerLimits extends AcceptedLimits {
  readonly signal: AbortSignal | undefined;
}

/** See {@link Server.readyState}. */
export type ServerState = 'idle' | 'opening' | 'listening' | 'closing' | 'closed';

let surrender: (server: Server) => void;

/**
 * A server: an Observable of {@link ServerEvent}s. The first subscription listens; when the last one has left it stops
 * accepting, while the sockets it has accepted live on.
 *
 * It has no Flow, for Node cannot stop accepting: accepted sockets wait, open and paused, up to `maxConnections`.
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
  #closed: Promise<void> | undefined;
  #concluded: (() => void) | undefined;
  /** A name for logs and registries. */
  name = '';
  /** Anything you want to keep with the server. */
  mark: unknown;

  /** @internal Made by `listen`. */
  constructor(transport: ServerTransport<A>, limits: ServerLimits) {
    super((subscriber) => {
      // On the next turn, so that a retry of a closed server does not spin.
      if (this.readyState === 'closed') return limits.socket.scheduler.schedule(() => this.#tellEnd(subscriber));
      if (this.#listening) subscriber.next(this.#listening);
      const subscription = this.#events.subscribe(subscriber);
      this.#listen();
      return () => {
        subscription.unsubscribe();
        if (!this.#events.observed) this.#stop();
      };
    });
    this.#transport = transport;
    this.#limits = limits;
    this.#accepted = new AcceptedConnections(transport, limits, {
      tell: (event) => this.#events.next(event),
      emptied: () => this.#concludeIfGone(),
    });
  }

  static {
    surrender = (server) => {
      if (server.#server) server.#transport.surrender?.(server.#server);
    };
  }

  /** `idle`: nobody has subscribed yet. `opening`, `listening`. `closing`: it accepts no more. `closed`. */
  get readyState(): ServerState {
    return this.#states.current;
  }

  /**
   * The `readyState`, now and whenever it changes; completes behind `closed`. It only looks: it does not listen, and does
   * not keep the server open.
   */
  get readyStates(): Observable<ServerState> {
    return this.#states.changes;
  }

  /** What carries the bytes of its sockets: see `type` of a socket. */
  get type(): TransportType {
    return this.#transport.type;
  }

  /** Where it listens; `undefined` while it does not. */
  get address(): A | undefined {
    return this.#listening?.address;
  }

  /**
   * The descriptor it listens on, for another process to inherit: see {@link handOver}. `undefined` while it does not
   * listen, on Windows, and in a worker of a cluster, which has none.
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
   * Stops accepting, tells `draining`, lets the connections finish, and after `drain` milliseconds aborts those that have
   * not. Resolves when all are closed.
   * @param options.drain In milliseconds: 0 aborts them at once, Infinity never. Default: 10,000.
   */
  async close(options: { readonly drain?: number } = {}): Promise<void> {
    const { drain = 10_000 } = options;
    if (this.readyState === 'idle') this.#conclude();
    if (this.#accepts) this.#events.next({ type: 'draining' });
    this.#stop();
    const cut = () => this.#accepted.cut(new Error(`the server closed and drain (${drain} ms) has passed`));
    const deadline = new Deadline(this.#limits.socket.scheduler, drain, cut);
    if (drain === 0) cut();
    else deadline.start();
    await this.#closed;
    deadline.stop();
  }

  /** Closes gracefully at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #listen(): void {
    if (this.readyState !== 'idle') return;
    this.#states.set('opening');
    this.#closed = new Promise((resolve) => {
      this.#concluded = resolve;
    });
    const server = this.#transport.open();
    this.#server = server;
    server.on('listening', () => {
      if (this.readyState !== 'opening') return;
      this.#listening = { type: 'listening', address: this.#transport.addressOf(server) };
      this.#states.set('listening');
      this.#events.next(this.#listening);
      this.#states.notify();
    });
    this.#accepted.attend(server);
    server.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
    // Node tells it when the streams are gone, which may be before their sockets have told all.
    server.on('close', () => {
      this.#server = undefined;
      this.#concludeIfGone();
    });
    this.#limits.signal?.addEventListener('abort', this.#onSignal, { once: true });
    if (this.#limits.signal?.aborted) this.#onSignal();
    this.#states.notify();
  }

  // Before it listens, an error is the end. After, it is about one connection that could not be accepted.
  #failed(cause: NodeJS.ErrnoException): void {
    const failed = (what: string) =>
      new SocketError(`${what} on ${this.#transport.target}: ${cause.message}`, {
        code: cause.code ?? 'EIO',
        phase: 'open',
        cause,
      });
    if (this.#listening) return this.#accepted.drop('acceptError', undefined, failed('Cannot accept a connection'));
    this.#failure = cause instanceof SocketError ? cause : failed('Cannot listen');
    this.#conclude();
  }

  #stop(): void {
    if (!this.#accepts) return;
    this.#states.set('closing');
    this.#server?.close();
    this.#states.notify();
  }

  get #accepts(): boolean {
    return this.readyState === 'opening' || this.readyState === 'listening';
  }

  #concludeIfGone(): void {
    if (!this.#server && this.sockets.size === 0) this.#conclude();
  }

  #conclude(): void {
    if (this.readyState === 'closed') return;
    this.#states.set('closed');
    this.#listening = undefined;
    this.#limits.signal?.removeEventListener('abort', this.#onSignal);
    this.#concluded?.();
    this.#states.notify();
    this.#tellEnd(this.#events);
  }

  #tellEnd(observer: Observer<ServerEvent<A>>): void {
    if (this.#failure) return observer.error(this.#failure);
    observer.next({ type: 'close' });
    observer.complete();
  }

  readonly #onSignal = () => {
    this.#stop();
    this.#accepted.cut(this.#limits.signal?.reason);
  };
}

export { surrender };
