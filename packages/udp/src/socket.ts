// DatagramSocket: the public class. The work is done by Binding.
import { type InspectOptions, inspect } from 'node:util';
import type { Chunk, InternetEndpoint } from '@rxsock/core';
import {
  broadcast,
  checkOptions,
  checkTimeout,
  handled,
  idOf,
  inspected,
  plainProperties,
  plural,
  type Registrable,
} from '@rxsock/core/internal';
import { filter, firstValueFrom, Observable, type Observer, throwIfEmpty } from 'rxjs';
import { Binding, type DatagramSocketState } from './binding.js';
import { toDatagram } from './datagram.js';
import { abortedError, closedError } from './errors.js';
import type { Datagram, DatagramEvent, DatagramReport } from './events.js';
import { kernelDrops } from './kernel-drops.js';
import type { Membership } from './options.js';
import { checkMembership, type SocketSetup } from './setup.js';

let bindingOf: (socket: DatagramSocket<never>) => Binding;

/**
 * A datagram socket: an Observable of {@link DatagramEvent}s and an Observer of datagrams. All subscribers share it.
 * When the last one unsubscribes, it closes as by `complete()`, unless `keepOpen` is set or you have called `bind()`.
 *
 * A datagram that cannot be sent is a `sendError` event. The socket stays open.
 *
 * **Half-close**: none. `complete()` sends the pending datagrams, and then closes both directions.
 *
 * **Backpressure**: `next()` returns `false` at `highWaterMark`, and `drain` follows when all is sent. Received
 * datagrams cannot be held back, so the socket has no Flow: see {@link mapMessages}.
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
  readonly #binding: Binding;
  /** A name for logs and registries. @defaultValue `''` */
  name = '';
  /** Anything you want to keep with the socket. */
  mark: unknown;

  /** @internal Use `bind()` or `connect()`. */
  constructor(setup: SocketSetup) {
    const binding = new Binding(setup);
    super((subscriber) => binding.subscribe(subscriber));
    this.#binding = binding;
    binding.socket = this;
    for (const membership of setup.options.memberships ?? []) this.join(membership);
  }

  static {
    bindingOf = (socket) => socket.#binding;
  }

  /**
   * Sends a datagram, and opens the socket if it is idle. A failure is a `sendError` event.
   *
   * Before the socket is open, datagrams are queued and go out in order. Datagrams to one name keep their order, and
   * those to other destinations do not wait for the lookup of that name.
   * @param datagram What to send, and where. A socket with a peer also takes a chunk of bytes alone.
   * @returns `false` at or over `highWaterMark`: wait for `drain`. Also `false` if the socket is closing or closed.
   * @throws At the call: {@link TypeError} if it is not a datagram, or its address cannot be one of a host; {@link
   * RangeError} for a port out of range. The socket stays open.
   */
  next(datagram: D): boolean {
    return this.#binding.send(toDatagram(datagram, this.#binding.setup));
  }

  /** @internal Like `next()`. Does nothing if the socket has no peer, or is closing or closed. */
  [broadcast](bytes: Uint8Array): boolean {
    const { setup, state } = this.#binding;
    return (
      !setup.connectFrom || state === 'closing' || state === 'closed' || this.#binding.send(toDatagram(bytes, setup))
    );
  }

  /**
   * Like `next()`, with a promise. You may ignore it: a rejection is never reported as unhandled.
   * @param datagram As for `next()`.
   * @returns Resolves when the kernel has taken the datagram. Only the peer knows whether it arrived.
   * @throws At the call: as `next()`.
   * @throws As a rejection, with the error of the `sendError` event: {@link SocketError} for a datagram that is too
   * large (`EMSGSIZE`), a name without an address (`ENOTFOUND`, `EAI_AGAIN`), port 0 (`ERR_SOCKET_BAD_PORT`), a
   * broadcast address without `broadcast` (`EACCES`), another destination than the peer
   * (`ERR_SOCKET_DGRAM_IS_CONNECTED`), a closing (`ERR_STREAM_WRITE_AFTER_END`) or closed (`ERR_SOCKET_CLOSED`) socket,
   * and every other code of the system, such as `ECONNREFUSED` or `ENETUNREACH`; {@link WriteBufferOverflowError}
   * (`ERR_WRITE_BUFFER_OVERFLOW`) over `maxWriteBuffer`; the error that the socket ended with, if it ends first.
   */
  send(datagram: D): Promise<void> {
    const checked = toDatagram(datagram, this.#binding.setup);
    return handled(
      new Promise((resolve, reject) => {
        this.#binding.send(checked, (error) => (error ? reject(error) : resolve()));
      }),
    );
  }

  /**
   * Opens the socket without a subscriber. It then stays open until you close it, even when the last subscriber leaves.
   * You may ignore the promise, as for `send()`.
   * @returns Resolves with the local address when the socket is open.
   * @throws As a rejection: the error that the socket ended with, see {@link bind} and {@link connect}; {@link
   * SocketError} (`ERR_SOCKET_CLOSED`) if it was closed before it opened.
   */
  bind(): Promise<InternetEndpoint> {
    this.#binding.keepOpen = true;
    const listening = this.pipe(
      filter((event) => event.type === 'listening'),
      throwIfEmpty(() => closedError(true)),
    );
    return handled(firstValueFrom(listening).then(({ address }) => address));
  }

  /**
   * Sends the pending datagrams, for at most `lingerTimeout`, and then closes. Until then the socket still emits what
   * it receives.
   */
  complete(): void {
    this.#binding.complete();
  }

  /**
   * Closes at once, and drops the pending datagrams. Subscribers receive an {@link AbortedError}
   * (`ERR_SOCKET_ABORTED`).
   * @param reason Becomes the `cause` of the error.
   */
  error(reason?: unknown): void {
    this.#binding.destroy(abortedError(reason));
  }

  /**
   * Like `complete()`, with its own time limit.
   * @param options.timeout How long to wait until all is sent, in milliseconds. 0 closes at once and drops the pending
   * datagrams, Infinity waits without limit. Default: `lingerTimeout`.
   * @returns Resolves with the report when the socket is closed. Never rejects.
   * @throws At the call: {@link TypeError} for options of the wrong type; {@link RangeError} for a negative `timeout`.
   */
  close(options: { readonly timeout?: number | undefined } = {}): Promise<DatagramReport> {
    checkOptions(options, '{ timeout: 1000 }');
    const { timeout } = options;
    if (timeout !== undefined) checkTimeout('timeout', timeout);
    this.#binding.complete(timeout);
    return this.#binding.events.closed;
  }

  /** Closes the socket at the end of an `await using` block, as by `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Joins a multicast group: now if the socket is open, otherwise when it opens. A failure then ends the socket.
   * @throws At the call: {@link TypeError} for a membership of the wrong type, or an address that is not valid; {@link
   * RangeError} for a group that is not a multicast address; {@link SocketError} if the socket is closed
   * (`ERR_SOCKET_CLOSED`), or if the open socket has already joined the group (`EADDRINUSE`), there is no such
   * interface (`ENODEV`), or an address is of the wrong family (`EINVAL`).
   */
  join(membership: Membership): void {
    checkMembership(membership);
    const { group, source, interface: via } = membership;
    this.#binding.runWhenOpen(`join ${group}`, (node) =>
      source === undefined ? node.addMembership(group, via) : node.addSourceSpecificMembership(source, group, via),
    );
  }

  /**
   * Leaves a multicast group: now if the socket is open, otherwise when it opens. A failure then ends the socket.
   * @throws At the call: as `join()`, but {@link SocketError} (`EADDRNOTAVAIL`) if the open socket has not joined the
   * group.
   */
  leave(membership: Membership): void {
    checkMembership(membership);
    const { group, source, interface: via } = membership;
    this.#binding.runWhenOpen(`leave ${group}`, (node) =>
      source === undefined ? node.dropMembership(group, via) : node.dropSourceSpecificMembership(source, group, via),
    );
  }

  /**
   * Resolves with the number of datagrams that the kernel has dropped because its receive buffer was full. Only Linux
   * reports it, only while the socket is open, and only if no other socket has the same port. Otherwise `undefined`.
   */
  async drops(): Promise<number | undefined> {
    return this.local && kernelDrops(this.local);
  }

  /** What has passed through the socket so far. */
  get report(): DatagramReport {
    return this.#binding.traffic.report;
  }

  /** The number of the socket, which tells it apart from all others of this process: see {@link Socket.id}. */
  get id(): number {
    return idOf(this);
  }

  /**
   * `idle`: nobody has subscribed, and `next()`, `send()` and `bind()` were not called. `opening`, `open`. `closing`:
   * pending datagrams are sent, new ones are refused. `closed`.
   */
  get readyState(): DatagramSocketState {
    return this.#binding.state;
  }

  /**
   * Emits the current `readyState` and each change, and completes after `closed`, even if the socket failed.
   * Subscribing to it neither opens the socket nor keeps it open.
   */
  get readyStates(): Observable<DatagramSocketState> {
    return this.#binding.states.changes;
  }

  /** The transport: always `udp`. */
  get type(): 'udp' {
    return 'udp';
  }

  /** The local address; `undefined` while the socket is not open. */
  get local(): InternetEndpoint | undefined {
    return this.#binding.local;
  }

  /** The peer; `undefined` if the socket has none, and before it is open. */
  get remote(): InternetEndpoint | undefined {
    return this.#binding.remote;
  }

  /** The bytes that wait to be sent, counted as for `highWaterMark`. */
  get writableLength(): number {
    return this.#binding.sendQueue.pendingBytes;
  }

  /** @internal One line for logs. A depth that is asked for, as `{ depth: 1 }`, adds the properties. */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    return inspected('DatagramSocket', this, depth, options, () => {
      const { messagesRead, messagesWritten } = this.report;
      const facts = [`${plural(messagesRead, 'message')} read`, `${messagesWritten} written`];
      return { facts, more: () => plainProperties(this) };
    });
  }
}

export { bindingOf };
