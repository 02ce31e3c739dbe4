// One dial: from a host and a port to a connected net.Socket (RFC 8305, Happy Eyeballs).
//
//   resolving ──addresses──▶ connecting ──an attempt connects──▶ over      reports: dialled
//       │                        │
//       ├──no address────────────┴──every attempt failed──▶ over           reports: failed, closed
//       └──cancel()──────────────┴──cancel()──▶ closing ──▶ over           reports: closed
//
// Each attempt has its own net.Socket. No attempt is given up for being slow: the next one starts beside it. When one
// connects, the others are reset. An attempt has failed when its stream has closed.
import type * as net from 'node:net';
import type { SchedulerLike, Subscription } from 'rxjs';
import { resetStream } from '../engine/stream-resets.js';
import type { Dial, DialHandlers } from '../engine/transport.js';
import { familyOf } from './addresses.js';
import { startAttempt } from './attempt.js';
import { type DialPeer, resolvePeer } from './resolve.js';

/** What to dial, and how. The options are checked, and their defaults filled in. */
export interface DialOptions extends DialPeer {
  readonly attemptDelay: number;
  readonly scheduler: SchedulerLike;
  createStream(): net.Socket;
}

export class TcpDial implements Dial {
  #state: 'resolving' | 'connecting' | 'closing' | 'over' = 'resolving';
  readonly #options: DialOptions;
  readonly #handlers: DialHandlers;
  readonly #cancelResolving: () => void;
  #port = 0;
  /** The addresses that were not tried yet. */
  #addresses: string[] = [];
  /** The streams of the attempts that have neither connected nor closed. */
  readonly #streams = new Set<net.Socket>();
  /** The stream of the attempt that started last. */
  #latest: net.Socket | undefined;
  readonly #errors: NodeJS.ErrnoException[] = [];
  /** Starts the next attempt. */
  #timer: Subscription | undefined;

  constructor(options: DialOptions, handlers: DialHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#cancelResolving = resolvePeer(options, {
      resolved: (addresses, port) => this.#resolved(addresses, port),
      failed: (error) => this.#fail(error),
    });
  }

  cancel(): void {
    if (this.#done) return;
    this.#stop('closing');
    if (this.#streams.size === 0) process.nextTick(() => this.#close());
  }

  get #done(): boolean {
    return this.#state === 'closing' || this.#state === 'over';
  }

  // ---- connecting

  #resolved(addresses: string[], port: number): void {
    this.#state = 'connecting';
    this.#addresses = addresses;
    this.#port = port;
    if (familyOf(this.#options.host) === 0) this.#emitLookup(this.#options.host);
    this.#startNext();
  }

  #emitLookup(host: string): void {
    for (const address of this.#addresses) {
      if (this.#done) return;
      this.#handlers.dialProgressed({ type: 'lookup', host, address, family: `IPv${familyOf(address) as 4 | 6}` });
    }
  }

  #startNext(): void {
    if (this.#done) return;
    this.#timer?.unsubscribe();
    const address = this.#addresses.shift();
    if (address !== undefined) this.#attempt(address);
    else if (this.#streams.size === 0) this.#fail(this.#errorOfAll());
  }

  #attempt(address: string): void {
    const { createStream, local, scheduler, attemptDelay } = this.#options;
    const port = this.#port;
    this.#handlers.dialProgressed({ type: 'connectionAttempt', address, port });
    if (this.#done) return;
    const stream = createStream();
    this.#streams.add(stream);
    this.#latest = stream;
    startAttempt(
      stream,
      { ...local, host: address, port },
      {
        connected: () => this.#connected(stream),
        closed: (error) => this.#attemptClosed(stream, address, error),
      },
    );
    if (this.#addresses.length > 0) this.#timer = scheduler.schedule(() => this.#startNext(), attemptDelay);
  }

  #connected(stream: net.Socket): void {
    this.#streams.delete(stream);
    this.#stop('over');
    this.#handlers.dialled(stream);
  }

  #attemptClosed(stream: net.Socket, address: string, error: NodeJS.ErrnoException = new Error('it was closed')): void {
    this.#streams.delete(stream);
    if (this.#state === 'closing' && this.#streams.size === 0) this.#close();
    if (this.#done) return;
    const { code = 'EIO' } = error;
    this.#errors.push(error);
    this.#handlers.dialProgressed({ type: 'connectionAttemptFailed', address, port: this.#port, code });
    if (stream === this.#latest || this.#streams.size === 0) this.#startNext();
  }

  #errorOfAll(): NodeJS.ErrnoException {
    const [first, ...others] = this.#errors;
    if (first && others.length === 0) return first;
    return Object.assign(new AggregateError(this.#errors, 'all attempts failed'), { code: first?.code });
  }

  // ---- the end

  #fail(error: NodeJS.ErrnoException): void {
    this.#stop('closing');
    this.#handlers.failed(error);
    this.#close();
  }

  #stop(state: 'closing' | 'over'): void {
    this.#state = state;
    this.#cancelResolving();
    this.#timer?.unsubscribe();
    for (const stream of this.#streams) resetStream(stream);
  }

  #close(): void {
    this.#state = 'over';
    this.#handlers.closed();
  }
}
