// MemoryDuplex: one end of a connection in memory, as a Node stream for the engine. Node's own streams emit 'end',
// 'finish' and 'close' with process.nextTick, which virtual time does not wait for. This one emits everything on the
// scheduler.
import { Duplex } from 'node:stream';
import type { SchedulerLike, Subscription } from 'rxjs';
import { scheduleAfter } from '../base/long-delay.js';
import { Queue } from '../base/queue.js';
import { Channel, type Delivery } from './channel.js';
import type { NetworkFaults } from './faults.js';

/** Options of {@link duplexPair}. */
export interface DuplexPairOptions {
  readonly scheduler: SchedulerLike;
  /**
   * How many bytes for the first end, and for the second end, may be in transit or unread before the writer must wait.
   */
  readonly windows: readonly [number, number];
  /** The faults of what the first end sends, and of what the second end sends. */
  readonly faults: readonly [NetworkFaults, NetworkFaults];
  /** Tells the random faults of this connection from those of others with the same seed. */
  readonly connectionNumber: number;
}

/** Returns the two ends of a new connection in memory. */
export function duplexPair(options: DuplexPairOptions): [Duplex, Duplex] {
  const a = new MemoryDuplex(options, 0, () => b);
  const b = new MemoryDuplex(options, 1, () => a);
  return [a, b];
}

class MemoryDuplex extends Duplex {
  readonly #scheduler: SchedulerLike;
  /** How many bytes for this end may be in transit or unread. */
  readonly #window: number;
  readonly #peer: () => MemoryDuplex;
  /** Carries what this end sends. */
  readonly #channel: Channel;
  /** Deliveries that this end has not read yet. */
  readonly #arrived = new Queue<Delivery>();
  /** How many bytes from the peer this end has not read yet: in transit, or arrived. */
  #unreadBytes = 0;
  #reading = false;
  #ended = false;
  /** The callback of the write in progress. */
  #onWritten: (() => void) | undefined;
  #sending: Subscription | undefined;
  #pumping: Subscription | undefined;

  constructor(options: DuplexPairOptions, index: 0 | 1, peer: () => MemoryDuplex) {
    super({ autoDestroy: false, emitClose: false });
    const { scheduler, windows, faults, connectionNumber } = options;
    this.#scheduler = scheduler;
    this.#window = windows[index];
    this.#peer = peer;
    this.#channel = new Channel({
      scheduler,
      faults: faults[index],
      channelNumber: 2 * connectionNumber + index,
      deliver: (delivery) => peer().#receive(delivery),
    });
  }

  override pause(): this {
    this.#reading = false;
    return this;
  }

  override resume(): this {
    this.#reading = true;
    this.#pump();
    return this;
  }

  // The bytes are copied, because the writer may reuse their memory after the callback.
  override _write(chunk: Uint8Array, _encoding: string, onWritten: () => void): void {
    this.#peer().#unreadBytes += this.#channel.send(Buffer.from(chunk));
    this.#onWritten = onWritten;
    this.#completeWrite();
  }

  // The engine calls this after the last write has completed.
  override end(): this {
    if (this.destroyed) return this;
    this.#ended = true;
    this.#channel.finish();
    this.#scheduler.schedule(() => this.destroyed || this.emit('finish'));
    return this;
  }

  override destroy(error?: Error | null): this {
    if (this.destroyed) return this;
    if (error || !this.#ended) this.#channel.reset();
    this.#close();
    this.#scheduler.schedule(() => this.emit('close'));
    return this;
  }

  /**
   * Completes the write in progress when its last byte has left and the peer has room. The peer calls it again later.
   */
  #completeWrite(): void {
    const work = () => {
      this.#sending = undefined;
      const onWritten = this.#onWritten;
      const peer = this.#peer();
      if (!onWritten || peer.#unreadBytes >= peer.#window) return;
      this.#onWritten = undefined;
      onWritten();
    };
    this.#sending ??= scheduleAfter(this.#scheduler, work, this.#channel.busyFor);
  }

  #receive(delivery: Delivery): void {
    if (delivery === 'resetBothNow') {
      this.#receive('reset');
      this.#peer().#receive('reset');
    } else if (!this.destroyed) {
      this.#arrived.push(delivery);
      this.#pump();
    } else if (delivery === 'resetBoth') {
      this.#peer().#receive('reset');
    } else if (typeof delivery !== 'string') {
      // This end is closed: it answers bytes with a reset, as an operating system does.
      this.#markRead(delivery);
      this.#channel.reset();
    }
  }

  #pump(): void {
    this.#pumping ??= this.#scheduler.schedule(() => {
      this.#pumping = undefined;
      while (this.#reading && this.#arrived.length > 0) this.#emitDelivery(this.#arrived.shift() as Delivery);
    });
  }

  #emitDelivery(delivery: Delivery): void {
    if (delivery === 'fin') this.emit('end');
    else if (typeof delivery === 'string') {
      // The peer gets its reset only now, when this end has read all the bytes that may pass.
      if (delivery === 'resetBoth') this.#peer().#receive('reset');
      this.#fail();
    } else {
      this.emit('data', delivery);
      this.#markRead(delivery);
    }
  }

  #markRead(bytes: Buffer): void {
    this.#unreadBytes -= bytes.length;
    this.#peer().#completeWrite();
  }

  #fail(): void {
    this.#close();
    this.emit('error', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }));
    this.emit('close');
  }

  #close(): void {
    this.destroyed = true;
    for (let delivery = this.#arrived.shift(); delivery; delivery = this.#arrived.shift())
      if (typeof delivery !== 'string') this.#unreadBytes -= delivery.length;
    this.#onWritten = undefined;
    this.#sending?.unsubscribe();
    this.#pumping?.unsubscribe();
    const peer = this.#peer();
    if (!peer.destroyed) return peer.#completeWrite();
    // Both ends are closed: nothing in transit has a receiver.
    this.#channel.stop();
    peer.#channel.stop();
  }
}
