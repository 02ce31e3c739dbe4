// What is to be sent: kept until the socket is open, counted until its callback, and answered for.
import type dgram from 'node:dgram';
import { type InternetEndpoint, type SocketError, WriteBufferOverflowError } from '@rxsock/core';
import type { Binding } from './binding.js';
import { sendError } from './errors.js';
import type { Datagram, Destination } from './events.js';

/** Is told how it went. */
export type Settle = (error?: SocketError) => void;

/** A datagram on its way out. */
interface Item {
  readonly datagram: Datagram;
  readonly bytes: number;
  readonly settle: Settle | undefined;
}

/** What a datagram counts at least, so that many small ones and empty ones are bounded, too. */
const LEAST = 256;

const costOf = ({ bytes }: Item) => Math.max(LEAST, bytes);

export class SendQueue {
  /** What waits, in bytes. */
  pending = 0;
  readonly #port: Binding;
  readonly #waiting = new Set<Item>();
  #node: dgram.Socket | undefined;
  #peer: InternetEndpoint | undefined;
  #clogged = false;

  constructor(port: Binding) {
    this.#port = port;
  }

  /** Takes a datagram; answers whether there is room for more. */
  send(datagram: Datagram, settle?: Settle): boolean {
    const { maxWriteBuffer: limit, highWaterMark } = this.#port.setup.limits;
    const item = { datagram, bytes: Buffer.byteLength(datagram.data), settle };
    if (this.pending > limit) {
      const message = `${this.pending} bytes wait to be sent, over maxWriteBuffer (${limit}): stop when next() answers false and go on at 'drain'`;
      this.fail(datagram, new WriteBufferOverflowError(message, { phase: 'write', limit }), settle);
    } else {
      this.pending += costOf(item);
      this.#waiting.add(item);
      if (this.#node) this.#transmit(item, this.#node);
    }
    if (this.pending < highWaterMark) return true;
    this.#clogged = true;
    return false;
  }

  /** The socket is open: what waited goes out, in order. */
  open(node: dgram.Socket, peer: InternetEndpoint | undefined): void {
    this.#node = node;
    this.#peer = peer;
    for (const item of this.#waiting) this.#transmit(item, node);
  }

  /** All that waits fails. */
  break(error: SocketError): void {
    for (const item of this.#waiting) this.#done(item, error);
  }

  /** Tells a failure: a tick later, so that subscribers hear one event at a time. */
  fail(datagram: Datagram, error: SocketError, settle?: Settle): void {
    this.#port.counts.messagesUnsent++;
    process.nextTick(() => {
      this.#port.events.next({ type: 'sendError', datagram, error });
      settle?.(error);
    });
  }

  #transmit(item: Item, node: dgram.Socket): void {
    const { data, remote } = item.datagram;
    const sent = (cause?: Error | null) => this.#done(item, cause ? sendError(cause, item.datagram) : undefined);
    try {
      if (this.#isPeer(remote)) node.send(data, sent);
      else node.send(data, remote.port, remote.address, sent);
    } catch (error) {
      sent(error as Error); // port 0, where datagrams can come from, and others than the peer
    }
  }

  #isPeer({ address, port }: Destination): boolean {
    return port === this.#peer?.port && (address === this.#peer.address || address === this.#port.setup.host);
  }

  #done(item: Item, error: SocketError | undefined): void {
    const { counts } = this.#port;
    if (!this.#waiting.delete(item)) return;
    this.pending -= costOf(item);
    if (error) {
      this.fail(item.datagram, error, item.settle);
    } else {
      counts.messagesWritten++;
      counts.bytesWritten += item.bytes;
      item.settle?.();
    }
    if (this.pending > 0) return;
    this.#port.flushed();
    // A turn later: the kernel takes datagrams at once, and who goes on at drain would never let the event loop turn.
    if (this.#clogged) setImmediate(() => this.#drained());
  }

  #drained(): void {
    if (!this.#clogged || this.pending > 0) return;
    this.#clogged = false; // before it is told: whoever hears it may clog it again
    this.#port.events.next({ type: 'drain' });
  }
}
