// A datagram socket as users see it: an Observable of typed events and an Observer of datagrams.
import type { Chunk, InternetEndpoint } from '@rxsock/core';
import { broadcast, checkLimit, type Registrable } from '@rxsock/core/internal';
import { filter, firstValueFrom, Observable, type Observer, throwIfEmpty } from 'rxjs';
import { Binding, type DatagramSocketState } from './binding.js';
import { toDatagram } from './datagram.js';
import { abortedError, closedError } from './errors.js';
import type { Datagram, DatagramEvent, DatagramReport } from './events.js';
import { kernelDrops } from './kernel-drops.js';
import { checkGroup, type Membership, type Setup } from './options.js';

let bindingOf: (socket: DatagramSocket<never>) => Binding;

/**
 * A datagram socket: an Observable of {@link DatagramEvent}s and an Observer of datagrams.
 *
 * `complete()` sends what waits and closes: there is no half-close. Backpressure: `next()` answers `false` when it is time
 * to wait for `drain`; what is received cannot be held, so it has no Flow. One socket is shared by all subscribers; when
 * the last one has left it closes as by `complete()`, unless `keepOpen` or `bind()` says otherwise.
 *
 * A datagram that cannot be sent is the event `sendError` and never the end of the socket.
 *
 * @see RFC 768 (UDP), https://nodejs.org/api/dgram.html
 * @example
 * ```ts
 * import { bind } from '@rxsock/udp';
 *
 * const socket = bind({ port: 9999 });
 * socket.subscribe((event) => {
 *   if (event.type === 'message') socket.next({ data: 'thanks', remote: event.remote });
 *   if (event.type === 'sendError') console.warn(event.error.message);
 * });
 * ```
 */
export class DatagramSocket<D extends Chunk | Datagram = Datagram>
  extends Observable<DatagramEvent>
  implements Observer<D>, Registrable<DatagramEvent>, AsyncDisposable
{
  readonly #port: Binding;
  /** A name for logs and registries. */
  name = '';
  /** Anything you want to keep with the socket. */
  mark: unknown;

  /** @internal Made by `bind` and `connect`. */
  constructor(setup: Setup) {
    const port = new Binding(setup);
    super((subscriber) => port.subscribe(subscriber));
    this.#port = port;
    for (const membership of setup.options.memberships ?? []) this.join(membership);
  }

  static {
    bindingOf = (socket) => socket.#port;
  }

  /**
   * Sends a datagram. Does not bind: what is sent before is kept and goes out in order. Datagrams to one name keep their
   * order, too; those to other destinations do not wait for its lookup. How it failed is told by `sendError`.
   * @returns `false` at or over `highWaterMark`: wait for `drain`. Also `false` when nothing can be sent any more.
   * @throws TypeError or RangeError if it is no datagram; the socket is unharmed.
   */
  next(datagram: D): boolean {
    return this.#port.send(toDatagram(datagram, this.#port.setup));
  }

  /** @internal As `next`, if there is a peer and it is not closing. */
  [broadcast](bytes: Uint8Array): boolean {
    const { setup, state } = this.#port;
    return !setup.near || state === 'closing' || state === 'closed' || this.#port.send(toDatagram(bytes, setup));
  }

  /**
   * Sends a datagram and tells when the kernel has taken it; binds if nobody has. Whether it arrives, only the peer can
   * tell. A rejection that nobody handles is harmless.
   * @throws {@link SocketError} (rejects) as told by `sendError`: `EMSGSIZE`, `ECONNREFUSED`, `ENOTFOUND`, …
   */
  send(datagram: D): Promise<void> {
    const checked = toDatagram(datagram, this.#port.setup);
    const sent = new Promise<void>((resolve, reject) => {
      this.#port.send(checked, (error) => (error ? reject(error) : resolve()));
    });
    sent.catch(() => {});
    this.#port.open();
    return sent;
  }

  /**
   * Opens it without a subscriber, and keeps it open until it is closed, whoever leaves.
   * @throws {@link SocketError} (rejects) if it cannot be opened or is closed before.
   */
  bind(): Promise<InternetEndpoint> {
    this.#port.keep = true;
    const listening = this.pipe(
      filter((event) => event.type === 'listening'),
      throwIfEmpty(() => closedError(true)),
    );
    const address = firstValueFrom(listening).then(({ address }) => address);
    address.catch(() => {});
    return address;
  }

  /** Sends what waits, for at most `lingerTimeout`, and closes. Messages still come meanwhile. */
  complete(): void {
    this.#port.complete();
  }

  /** Closes at once: what waits is dropped. Subscribers get an {@link AbortedError} whose `cause` is the reason. */
  error(reason?: unknown): void {
    this.#port.destroy(abortedError(reason));
  }

  /**
   * As `complete()`, with its own limit.
   * @param options.timeout How long to wait for what is yet to be sent, in milliseconds; 0 drops it at once, Infinity
   * waits for ever. Default: `lingerTimeout`.
   * @returns What has passed. Never rejects.
   */
  close({ timeout }: { readonly timeout?: number } = {}): Promise<DatagramReport> {
    if (timeout !== undefined) checkLimit('timeout', timeout);
    this.#port.complete(timeout);
    return this.#port.closed;
  }

  /** Closes at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Joins a multicast group: now, or when it opens. @throws {@link SocketError} with Node's code, `EADDRINUSE` if it is joined. */
  join({ group, source, interface: via }: Membership): void {
    checkGroup(group);
    this.#port.apply(`join ${group}`, (node) =>
      source === undefined ? node.addMembership(group, via) : node.addSourceSpecificMembership(source, group, via),
    );
  }

  /** Leaves a multicast group: now, or when it opens. @throws {@link SocketError} with Node's code. */
  leave({ group, source, interface: via }: Membership): void {
    checkGroup(group);
    this.#port.apply(`leave ${group}`, (node) =>
      source === undefined ? node.dropMembership(group, via) : node.dropSourceSpecificMembership(source, group, via),
    );
  }

  /**
   * How many datagrams the kernel has lost because the receive buffer was full. Linux alone tells it, while the socket is
   * open, and only if no other socket has the same port; `undefined` otherwise.
   */
  async drops(): Promise<number | undefined> {
    return this.local && kernelDrops(this.local);
  }

  /** What has passed so far. */
  get report(): DatagramReport {
    return this.#port.report;
  }

  /** `idle`, `opening`, `open`, `closing`, `closed`. */
  get readyState(): DatagramSocketState {
    return this.#port.state;
  }

  /**
   * The `readyState`, now and whenever it changes; completes behind `closed`, whatever the socket ends with. It only looks:
   * it does not bind, and does not keep the socket open.
   */
  get readyStates(): Observable<DatagramSocketState> {
    return this.#port.states.changes;
  }

  /** What carries it: always `udp`. */
  get type(): 'udp' {
    return 'udp';
  }

  /** Our end; `undefined` while it is not open. */
  get local(): InternetEndpoint | undefined {
    return this.#port.local;
  }

  /** The peer; `undefined` without one, and while it is not open. */
  get remote(): InternetEndpoint | undefined {
    return this.#port.remote;
  }

  /** Bytes that wait to be sent, counted as for `highWaterMark`. */
  get writableLength(): number {
    return this.#port.sendQueue.pending;
  }
}

export { bindingOf };
