// One connection, as sockets and operators use it: they subscribe, write, end, hand over, and leave. See
// connection-machine.ts for its states.
import type { Duplex } from 'node:stream';
import type { Subscriber } from 'rxjs';
import { onAbortSignal } from '../base/abort-signals.js';
import type { SocketError } from '../base/errors.js';
import type { CloseReport, SocketEvent } from '../base/events.js';
import { ByteSource } from '../flow/byte-source.js';
import { joinConsumer } from '../flow/discovery.js';
import { FlowLink } from '../flow/flow-subscriber.js';
import { taps } from '../observe/byte-tap.js';
import { publishDial, publishError, publishHold, publishOpen, tapReceived } from '../observe/socket-events.js';
import { overflowError } from './connection-errors.js';
import type { ConnectionStart } from './connection-machine.js';
import type { SocketControl, Successor } from './control.js';
import type { SocketLimits } from './limits.js';
import type { CloseListener } from './outcome.js';
import { checkPassable, unreadBytesError } from './passing-on.js';
import { StreamedConnection } from './streamed-connection.js';
import type { SubscriberEntry, SubscriptionType, Watcher } from './subscriber-entry.js';
import type { Dial, Transport } from './transport.js';
import { type Acceptor, Usage } from './usage.js';

export class Connection extends StreamedConnection implements SocketControl {
  successor: Successor | undefined;
  #bytes: ByteSource | undefined;

  constructor(transport: Transport, limits: SocketLimits, start: ConnectionStart) {
    super(transport, limits, start);
    if (start !== 'open') return;
    this.#open();
    // After the stream has an owner, which destroys it.
    if (limits.signal?.aborted) this.#abortBySignal();
  }

  // ---- subscribers come

  /** Adds a reader, or a watcher of one type of event, until the subscriber leaves. */
  subscribe(subscriber: Subscriber<never>, type: SubscriptionType = 'events'): void {
    this.#prepareUse();
    const entry = this.subscribers.add(subscriber, type);
    entry.consumer = joinConsumer(subscriber, this.flow);
    // Before anything is delivered, because the subscriber may leave during the delivery.
    if (subscriber.closed) entry.unsubscribe();
    else if (!(subscriber instanceof FlowLink && subscriber.place === entry)) subscriber.add(entry);
    this.dial();
    this.#use();
  }

  watch(type: SocketEvent['type'], subscriber: Subscriber<never>): void {
    this.subscribe(subscriber, type);
  }

  get bytes(): ByteSource {
    this.#bytes ??= new ByteSource(this);
    return this.#bytes;
  }

  get hasReader(): boolean {
    return this.subscribers.hasReader;
  }

  /** The connection was accepted: it must be claimed in time. */
  awaitClaim(acceptor: Acceptor): void {
    if (this.claimed || this.life === 'closed') return;
    this.usage ??= new Usage(this.limits);
    this.usage.awaitClaim(acceptor);
  }

  /** Marks the connection as used: an accepted one may read from now on. */
  claim(): void {
    if (!this.claimed) this.#use();
  }

  #prepareUse(): void {
    if (this.life === 'idle' && this.limits.signal?.aborted) this.#abortBySignal();
    this.usage?.cancelPlan();
  }

  #use(): void {
    this.claimed = true;
    this.usage?.claimed();
    this.advance();
  }

  // ---- it opens

  dial(): void {
    if (this.life !== 'idle') return;
    if (this.limits.signal?.aborted) this.#abortBySignal();
    else this.#open();
  }

  #open(): void {
    this.life = 'opening';
    const { signal } = this.limits;
    if (signal) this.ignoreSignal = onAbortSignal(signal, () => this.#abortBySignal());
    this.timeouts.start('connect');
    const { transport } = this;
    if ('dial' in transport) this.#keepDial(transport.dial(this));
    else this.carry(transport.open(), transport.readyEvent);
    if ('received' in transport && transport.received) this.received(transport.received);
    this.notifyState();
    if (this.life === 'opening') publishDial(this, transport.target);
  }

  // A look-up of the user's may have ended the connection before there was a dial to cancel.
  #keepDial(dial: Dial): void {
    if (this.life === 'closed') dial.cancel();
    else if (!this.stream) this.dialling = dial;
  }

  announce(): void {
    const { failure } = this.outcome;
    if (this.life === 'opening') publishDial(this, this.transport.target);
    if (this.life === 'open') publishOpen(this);
    if (failure) publishError(this, failure);
    // Nobody has read them yet.
    if (taps.length > 0) for (const chunk of this.readSide.waiting) tapReceived(this, chunk);
  }

  // ---- reading

  /** How many received bytes wait to be delivered. */
  get readableLength(): number {
    return this.readSide.bytes;
  }

  /** Takes bytes back. They are delivered again, before the end, to subscribers that have not received them. */
  unread(bytes: Uint8Array, by?: Subscriber<unknown>): void {
    this.readSide.unread(bytes, by);
    this.advance();
    // The read in progress would add its bytes to these.
    if (this.life === 'open' && !this.wantsMore) this.stream?.stopReading();
  }

  heldChanged(held: boolean): void {
    publishHold(this, held);
    const { timeouts } = this;
    // While closing, what a holder does not take is dropped: nobody waits for it.
    timeouts.setRunning('hold', held && !this.isClosed && !this.closing);
    if (this.life === 'open' && !timeouts.hasCloseLimit) timeouts.setPaused('idle', held);
    this.advance();
  }

  // ---- writing

  /** Accepts bytes to write. Returns whether there is room for more. Past `maxWriteBuffer` the socket fails. */
  write(bytes: Uint8Array): boolean {
    if (this.writeSide.state !== 'open') return false;
    const { cost } = this.writeSide;
    const { maxWriteBuffer } = this.limits;
    if (cost <= maxWriteBuffer) {
      if (this.life === 'open') this.writeRate?.wrote();
      return this.writeSide.write(bytes);
    }
    this.fail(overflowError(cost, maxWriteBuffer, this.opening.scene), 'error');
    return false;
  }

  complete(by: SocketControl['completedBy'] = 'complete'): void {
    this.completeWriteSide(by);
    this.dial();
    this.#use();
  }

  beginWrite(writer: Watcher): void {
    this.#prepareUse();
    this.wholeWrites++;
    this.subscribers.watch(writer);
    if (this.writeSide.state === 'broken') writer.broken(this.writeSide.error);
    this.dial();
    this.claim();
  }

  endWrite(): void {
    this.wholeWrites--;
    this.endWithPeer();
  }

  unwatch(writer: Watcher): void {
    this.subscribers.unwatch(writer);
    this.#oneLeft();
  }

  // ---- this side ends it

  get failure(): SocketError | undefined {
    return this.outcome.failure;
  }

  #abortBySignal(): void {
    this.abort(this.limits.signal?.reason);
  }

  cut(reason: unknown): void {
    if (this.writeSide.state !== 'finished') this.abort(reason);
  }

  /**
   * Flushes, sends FIN and waits for the peer's FIN. Drops what no reader takes in the meantime.
   * @param timeout The limit of this call, which replaces all others. `undefined` for the limits of leaving; if the
   * connection is closing already, it changes nothing.
   */
  close(timeout?: number): Promise<CloseReport> {
    if (timeout === 0) this.abort(new Error('it was closed with a timeout of 0'));
    const closed = new Promise<CloseReport>((resolve) => this.outcome.afterClose(resolve));
    if (this.life === 'closed') return closed;
    if (this.life === 'idle' && this.writeSide.pending === 0) {
      this.outcome.endedBy('local', 'fin');
      this.conclude();
    } else {
      if (timeout !== undefined) {
        this.writeRate?.stop();
        this.timeouts.closeWithin(timeout);
      } else if (!this.closing) {
        this.timeouts.start('linger');
      }
      this.#startClosing('close');
    }
    return closed;
  }

  afterClose(listener: CloseListener): void {
    this.outcome.afterClose(listener);
  }

  #startClosing(by: 'close' | 'leaving'): void {
    // From now on, the full time.
    if (!this.closing) this.timeouts.stop('fin');
    this.closing = true;
    this.timeouts.stop('hold');
    this.complete(by);
  }

  // ---- subscribers leave

  subscriberLeft(entry: SubscriberEntry): void {
    this.subscribers.remove(entry);
    entry.consumer?.leave(this.flow);
    this.#oneLeft();
  }

  #oneLeft(): void {
    this.advance();
    if (this.subscribers.size > 0 || this.life === 'closed' || this.closing) return;
    // Both sides have ended: only the descriptor is still to be closed.
    if (this.readSide.state === 'delivered' && this.writeSide.done) return;
    this.usage ??= new Usage(this.limits);
    this.usage.planLeave(() => this.#leave());
  }

  #leave(): void {
    this.usage?.cancelPlan();
    const { writeSide } = this;
    if (this.life === 'opening' && writeSide.pending === 0 && writeSide.state === 'open') {
      return this.abort(new Error('the last subscriber left before it was open'));
    }
    // After the peer's FIN the answer may still be on its way.
    if (this.readSide.endWasDelivered && this.allowHalfOpen && writeSide.state === 'open') return;
    this.timeouts.start('linger');
    this.#startClosing('leaving');
  }

  // ---- the stream passes on to another owner

  get upgraded(): boolean {
    return this.outcome.how === 'upgraded';
  }

  detach<T extends Successor>(takeOver: (stream: Duplex) => T): T {
    const isLeft = () => this.early !== undefined || this.readSide.hasUndelivered;
    return this.#passOn(isLeft, (stream) => {
      const successor = takeOver(stream);
      this.successor = successor;
      return successor;
    });
  }

  handOver(): { readonly stream: Duplex; readonly received: Buffer } {
    return this.#passOn(
      () => this.readSide.hasEnded,
      (stream) => {
        const received = this.early ?? this.readSide.take();
        this.early = undefined;
        return { stream, received };
      },
    );
  }

  /**
   * @param isLeft Whether something was received that cannot be passed on.
   * @param takeOver Called before the subscribers hear of the end: what they abort then must reach the new owner.
   */
  #passOn<T>(isLeft: () => boolean, takeOver: (stream: Duplex) => T): T {
    checkPassable(this);
    const stream = isLeft() ? undefined : this.stream?.detach();
    if (!stream) throw unreadBytesError(this);
    this.outcome.endedBy('local', 'upgraded');
    this.closing = true;
    try {
      return takeOver(stream);
    } finally {
      this.conclude();
    }
  }
}
