// The send queue of a datagram socket. It keeps datagrams until the socket is open, counts them as pending until the
// kernel has taken them, and reports each failure.
import type * as dgram from 'node:dgram';
import { type Chunk, type InternetEndpoint, type SocketError, WriteBufferOverflowError } from '@rxsock/core';
import { checkHost, publishDatagramError, spendTime, tapDatagramSent } from '@rxsock/core/internal';
import { sendError } from './errors.js';
import type { Datagram, Destination } from './events.js';
import type { SocketSetup } from './setup.js';
import type { SharedEvents } from './shared-events.js';
import type { Traffic } from './traffic.js';

/** Called once per datagram: without an argument when the kernel has taken it, otherwise with the error. */
export type SendCallback = (error?: SocketError) => void;

/** The parts of a datagram socket that its send queue works with. */
export interface SendQueueContext {
  readonly setup: SocketSetup;
  readonly traffic: Traffic;
  readonly events: SharedEvents;
  /** What the diagnostics channels show. */
  readonly owner: { readonly socket: object };
  /** Called whenever the last pending datagram has been sent or has failed. */
  readonly onEmpty: () => void;
}

interface PendingDatagram {
  readonly datagram: Datagram;
  /** Where it goes. The caller may change `datagram.remote` before the socket is open. */
  readonly destination: Destination;
  /** What is sent. The caller may change the memory of `datagram.data` before the kernel takes it. */
  readonly payload: Buffer;
  readonly callback: SendCallback | undefined;
}

/**
 * Every datagram counts as this many bytes at least, so that the limits also bound small and empty ones. With its
 * promise and Node's request, an empty one takes about as many.
 */
const MIN_COST = 768;

/** No datagram is longer, so a longer one is not copied only to fail. */
const MAX_PAYLOAD = 65_527;

const costOf = ({ payload }: PendingDatagram) => Math.max(MIN_COST, payload.length);

// The kernel reads the bytes later than the call: Node looks up even a numeric address first, and the kernel may be
// busy.
function ownBytes(data: Chunk): Buffer {
  if (typeof data === 'string' || data.length <= MAX_PAYLOAD) return Buffer.from(data as Uint8Array);
  return Buffer.from(data.buffer, data.byteOffset, data.length);
}

// A sender that awaits each datagram continues inside the callback, and the kernel may take every one at once. When the
// budget of the turn is used up, the sender continues in a later turn.
function callBack(callback: SendCallback | undefined, error?: SocketError): void {
  if (!callback) return;
  if (spendTime()) callback(error);
  else setImmediate(callback, error);
}

export class SendQueue {
  /** The cost of all pending datagrams, in bytes. 0 only if there is none. */
  pendingBytes = 0;
  readonly #context: SendQueueContext;
  readonly #pending = new Set<PendingDatagram>();
  #node: dgram.Socket | undefined;
  #peer: InternetEndpoint | undefined;
  /** `send()` has returned `false`, and `drain` has not been emitted since. */
  #needsDrain = false;

  constructor(context: SendQueueContext) {
    this.#context = context;
  }

  /** Adds a datagram. Returns `false` at or over `highWaterMark`. */
  send(datagram: Datagram, callback?: SendCallback): boolean {
    const { maxWriteBuffer: limit, highWaterMark } = this.#context.setup.limits;
    if (this.pendingBytes > limit) {
      const message =
        `${this.pendingBytes} bytes wait to be sent, over maxWriteBuffer (${limit}): ` +
        "stop when next() returns false and continue at 'drain'";
      this.reportFailure(datagram, new WriteBufferOverflowError(message, { phase: 'write', limit }), callback);
    } else {
      const { address, port } = datagram.remote;
      const destination = { address: checkHost('remote.address', address), port };
      const entry = { datagram, destination, payload: ownBytes(datagram.data), callback };
      this.pendingBytes += costOf(entry);
      this.#pending.add(entry);
      if (this.#node) this.#transmit(entry, this.#node);
    }
    if (this.pendingBytes < highWaterMark) return true;
    this.#needsDrain = true;
    return false;
  }

  /** The socket is open: sends the pending datagrams in order, and later ones at once. */
  start(node: dgram.Socket, peer: InternetEndpoint | undefined): void {
    this.#node = node;
    this.#peer = peer;
    // A look-up of the user's may send something meanwhile, which leaves at once.
    for (const entry of [...this.#pending]) this.#transmit(entry, node);
  }

  /** Fails all pending datagrams. */
  failAll(error: SocketError): void {
    for (const entry of this.#pending) this.#settle(entry, error);
  }

  /** Reports a datagram as not sent. On the next tick, so that subscribers never receive one event inside another. */
  reportFailure(datagram: Datagram, error: SocketError, callback?: SendCallback): void {
    const { traffic, events, owner } = this.#context;
    traffic.counts.messagesUnsent++;
    process.nextTick(() => {
      publishDatagramError(owner.socket, error);
      events.emit({ type: 'sendError', datagram, error });
      callBack(callback, error);
    });
  }

  #transmit(entry: PendingDatagram, node: dgram.Socket): void {
    const { payload, destination } = entry;
    const onSent = (cause?: Error | null) => this.#settle(entry, cause ? sendError(cause, destination) : undefined);
    try {
      if (this.#isPeer(destination)) node.send(payload, onSent);
      else node.send(payload, destination.port, destination.address, onSent);
    } catch (error) {
      // Node throws for port 0, which a received datagram can have, and for another destination than the peer.
      onSent(error as Error);
    }
  }

  #isPeer({ address, port }: Destination): boolean {
    return port === this.#peer?.port && (address === this.#peer.address || address === this.#context.setup.host);
  }

  #settle(entry: PendingDatagram, error: SocketError | undefined): void {
    const { traffic, owner, onEmpty } = this.#context;
    // Node may still call back for a datagram that failAll() has failed.
    if (!this.#pending.delete(entry)) return;
    this.pendingBytes -= costOf(entry);
    if (error) {
      this.reportFailure(entry.datagram, error, entry.callback);
    } else {
      traffic.counts.messagesWritten++;
      traffic.counts.bytesWritten += entry.payload.length;
      tapDatagramSent(owner.socket, entry.payload, entry.destination);
      callBack(entry.callback);
    }
    if (this.pendingBytes > 0) return;
    onEmpty();
    // Not at once: the kernel takes datagrams immediately, so a sender that continues at each drain would never let the
    // event loop turn.
    if (this.#needsDrain) setImmediate(() => this.#emitDrain());
  }

  #emitDrain(): void {
    if (!this.#needsDrain || this.pendingBytes > 0) return;
    this.#needsDrain = false; // Before the event: a subscriber may fill the queue again.
    this.#context.events.emit({ type: 'drain' });
  }
}
