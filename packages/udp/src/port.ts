// What is behind a datagram socket: one dgram.Socket, from its opening to its end, and those who are told.
//
//   idle ──subscribe, send(), bind()──▶ opening ──▶ open ──complete(), the last one leaves──▶ closing ──sent──▶ closed
import type dgram from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { InternetEndpoint, ListeningEvent, SocketError } from '@rxsock/core';
import type { Subscriber, Subscription, TeardownLogic } from 'rxjs';
import { withoutZone } from './address.js';
import { Audience, tellEnd } from './audience.js';
import type { DatagramCloseEvent, DatagramEvent, DatagramReport } from './events.js';
import { abortedError, closedError, membershipError, openError, refusedError } from './failures.js';
import type { Item } from './item.js';
import { open } from './open.js';
import type { Setup } from './options.js';
import { Outbox } from './outbox.js';
import { settleable, timer } from './timer.js';

export class Port {
  readonly setup: Setup;
  readonly outbox: Outbox;
  /** Our own end; rejects as soon as it closes. */
  opened = settleable<InternetEndpoint>();
  readonly closed = settleable<DatagramReport>();
  /** Stays open when the last subscriber leaves. */
  keep: boolean;
  life: 'idle' | 'opening' | 'open' | 'closed' = 'idle';
  /** It closes as soon as all is sent. */
  ending = false;
  listening: ListeningEvent<InternetEndpoint> | undefined;
  remote: InternetEndpoint | undefined;
  dropped = 0;
  #read = { messagesRead: 0, bytesRead: 0, messagesBlocked: 0 };
  readonly #audience = new Audience();
  #node: dgram.Socket | undefined;
  /** Joins and leaves of groups from before it was open. */
  #early: ((node: dgram.Socket) => void)[] = [];
  #destroyed = false;
  #clogged = false;
  #failure: SocketError | undefined;
  #openedAt = Number.NaN;
  #duration = 0;
  #leaving: Subscription | undefined;
  #linger: Subscription | undefined;

  constructor(setup: Setup) {
    this.setup = setup;
    this.keep = setup.limits.keepOpen === true;
    this.outbox = new Outbox(setup, {
      failed: ({ datagram }, error) => this.#audience.tell({ type: 'sendError', datagram, error }),
      empty: () => {
        // A turn later: the kernel takes datagrams at once, and who goes on at drain would never let the event loop turn.
        if (this.#clogged) setImmediate(() => this.#drained());
        if (this.ending) this.destroy();
      },
    });
  }

  get report(): DatagramReport {
    const { written: messagesWritten, bytesWritten, unsent: messagesUnsent } = this.outbox;
    const duration = this.life === 'open' ? this.setup.limits.scheduler.now() - this.#openedAt : this.#duration;
    return { ...this.#read, messagesDropped: this.dropped, messagesWritten, bytesWritten, messagesUnsent, duration };
  }

  get readyState(): 'idle' | 'opening' | 'open' | 'closing' | 'closed' {
    return this.life !== 'closed' && (this.ending || this.#destroyed) ? 'closing' : this.life;
  }

  subscribe(subscriber: Subscriber<DatagramEvent>): TeardownLogic {
    // On the next turn, so that a retry of a closed socket does not spin.
    if (this.life === 'closed') {
      return this.setup.limits.scheduler.schedule(() => tellEnd(subscriber, this.#last, this.#failure));
    }
    this.#leaving?.unsubscribe();
    if (this.listening) subscriber.next(this.listening);
    const subscription = this.#audience.add(subscriber);
    this.open();
    return () => {
      subscription.unsubscribe();
      if (!this.#audience.observed && !this.keep) this.#leave();
    };
  }

  open(): void {
    const { signal } = this.setup.limits;
    if (this.life !== 'idle') return;
    this.life = 'opening';
    signal?.addEventListener('abort', this.#onSignal, { once: true });
    if (signal?.aborted) return this.#onSignal();
    open(this.setup, {
      wanted: () => !this.#destroyed,
      created: (node, address) => this.#created(node, address),
      opened: (node) => this.#opened(node),
      failed: (error, address) => this.#failed(error, address),
    });
  }

  /** Sends; answers whether there is room for more. */
  send(item: Item): boolean {
    if (this.ending || this.#destroyed) this.outbox.fail(item, this.#gone());
    else this.outbox.send(item);
    const room = this.outbox.pending < this.setup.limits.highWaterMark;
    if (!room) this.#clogged = true;
    return room && !this.ending && !this.#destroyed;
  }

  /** Does something to the Node socket: now, or when it opens. */
  apply(act: (node: dgram.Socket) => void): void {
    if (this.#destroyed) throw this.#gone();
    if (this.life !== 'open' || !this.#node) this.#early.push(act);
    else {
      try {
        act(this.#node);
      } catch (error) {
        throw membershipError(error as NodeJS.ErrnoException, this.listening?.address);
      }
    }
  }

  /** Closes when all is sent, and when this many milliseconds have passed. */
  complete(timeout: number): void {
    if (this.#destroyed) return;
    this.ending = true;
    if (this.outbox.pending === 0) return this.destroy();
    this.#linger?.unsubscribe();
    this.#linger = timer(this.setup.limits.scheduler, timeout, () => this.destroy());
    this.open();
  }

  /** Closes at once. */
  destroy(failure?: SocketError): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#failure = failure;
    this.#duration = this.report.duration;
    this.outbox.break(failure ?? this.#gone());
    this.opened.reject(failure ?? this.#gone()); // for those who wait
    this.opened = settleable(); // for those who come
    this.opened.reject(failure ?? this.#gone());
    if (this.#node) this.#node.close();
    else this.#conclude();
  }

  abort(reason: unknown): void {
    this.destroy(abortedError(reason));
  }

  #created(node: dgram.Socket, address: string): void {
    this.#node = node;
    node.on('error', (error) => {
      if (this.life !== 'open') return this.#failed(error, address);
      const told = refusedError(error, this.listening?.address, this.remote);
      if (!this.#destroyed) this.#audience.tell({ type: 'sendError', datagram: undefined, error: told });
    });
    node.on('message', (data, from) => this.#received(data, from));
    node.on('close', () => this.#conclude());
  }

  #opened(node: dgram.Socket): void {
    if (this.#destroyed) return;
    for (const act of this.#early) act(node);
    this.life = 'open';
    this.#openedAt = this.setup.limits.scheduler.now();
    this.listening = { type: 'listening', address: endpoint(node.address()) };
    if (this.setup.near) this.remote = endpoint(node.remoteAddress());
    this.opened.resolve(this.listening.address);
    this.#audience.tell(this.listening);
    if (!this.#destroyed) this.outbox.open(node);
  }

  #received(data: Buffer, from: dgram.RemoteInfo): void {
    const { blockList } = this.setup.options;
    const { address, port, family } = from;
    const numeric = withoutZone(address);
    // What comes between binding and connecting may be from anybody.
    const stranger = this.setup.near && (address !== this.remote?.address || port !== this.remote.port);
    if (stranger || blockList?.check(numeric, isIPv6(numeric) ? 'ipv6' : 'ipv4')) {
      this.#read.messagesBlocked++;
      return;
    }
    this.#read.messagesRead++;
    this.#read.bytesRead += data.length;
    if (this.#audience.observed) this.#audience.tell({ type: 'message', data, remote: { address, port, family } });
    else this.dropped++;
  }

  #failed(cause: NodeJS.ErrnoException, address?: string): void {
    this.destroy(openError(cause, address, this.setup));
  }

  #drained(): void {
    if (!this.#clogged || this.outbox.pending > 0) return;
    this.#clogged = false; // before it is told: whoever hears it may clog it again
    this.#audience.tell({ type: 'drain' });
  }

  #gone(): SocketError {
    return closedError(this.#destroyed);
  }

  #leave(): void {
    const { scheduler, keepOpen, lingerTimeout } = this.setup.limits;
    this.#leaving = scheduler.schedule(() => {
      if (!this.ending) this.complete(lingerTimeout);
    }, Number(keepOpen));
  }

  #conclude(): void {
    const { signal } = this.setup.limits;
    this.life = 'closed';
    this.#node = undefined;
    this.listening = undefined;
    signal?.removeEventListener('abort', this.#onSignal);
    this.#linger?.unsubscribe();
    this.#leaving?.unsubscribe();
    this.closed.resolve(this.report);
    this.#audience.end(this.#last, this.#failure);
  }

  get #last(): DatagramCloseEvent {
    return { type: 'close', report: this.report };
  }

  readonly #onSignal = () => this.abort(this.setup.limits.signal?.reason);
}

const endpoint = ({ address, port, family }: { address: string; port: number; family: string }): InternetEndpoint => ({
  address,
  port,
  family: family === 'IPv6' ? 'IPv6' : 'IPv4',
});
