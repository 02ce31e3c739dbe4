// The other end of a modelled connection: it sends, ends, resets and stalls when the model says so, and checks what it
// receives.
import type { SocketError } from '../../base/errors.js';
import type { Release } from '../../flow/flow.js';
import type { Socket } from '../../socket.js';
import { firstMismatch } from './numbered-bytes.js';

/**
 * What {@link socketModel} needs of the other end. {@link farEnd} makes one from a Socket; with one of your own, the peer
 * can be another program. What it receives must be {@link numberedBytes}.
 */
export interface FarEnd {
  /** Sends bytes, without regard to backpressure. */
  send(bytes: Uint8Array): void;
  /** Sends a FIN after them. */
  end(): void;
  /** Resets the connection. */
  reset(): void;
  /** Stops reading. */
  stall(): void;
  /** Reads on. */
  resume(): void;
  /** How many bytes have arrived that are right. */
  readonly received: number;
  /** The number of the first byte that is wrong; `undefined` if there is none. */
  readonly mismatch: number | undefined;
  /** How the connection ended for this end: by a FIN, by a reset or another error, or not yet. */
  readonly ended: 'fin' | 'reset' | undefined;
}

/** Returns a Socket as the other end of a modelled connection. It should have no time limits of its own. */
export function farEnd(socket: Socket): FarEnd {
  return new SocketFarEnd(socket);
}

/** The most bytes that it sends as one chunk. */
const PIECE = 16_384;

class SocketFarEnd implements FarEnd {
  received = 0;
  mismatch: number | undefined;
  ended: 'fin' | 'reset' | undefined;
  readonly #socket: Socket;
  #stalled: Release | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.allowHalfOpen = true;
    socket.subscribe({
      next: (event) => {
        if (event.type === 'data') this.#check(event.data);
        if (event.type === 'end') this.ended ??= 'fin';
      },
      error: (_error: SocketError) => {
        this.ended ??= 'reset';
      },
    });
  }

  send(bytes: Uint8Array): void {
    // In pieces, as a kernel does: a connection in memory delivers each as one chunk.
    for (let at = 0; at < bytes.length; at += PIECE) this.#socket.next(bytes.subarray(at, at + PIECE));
  }

  end(): void {
    this.#socket.complete();
  }

  reset(): void {
    this.#socket.error(new Error('the model resets the connection'));
  }

  stall(): void {
    this.#stalled ??= this.#socket.hold('the model');
  }

  resume(): void {
    this.#stalled?.();
    this.#stalled = undefined;
  }

  #check(bytes: Uint8Array): void {
    if (this.mismatch !== undefined) return;
    const index = firstMismatch('near', this.received, bytes);
    this.received += index ?? bytes.length;
    if (index !== undefined) this.mismatch = this.received;
  }
}
