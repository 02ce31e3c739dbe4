// The readers of a modelled connection: they check every byte and every event that they get.
import { NEVER, type Subscription, take, tap } from 'rxjs';
import type { SocketEvent } from '../../base/events.js';
import { data } from '../../operators/data.js';
import { decode } from '../../operators/decode.js';
import { mapWithBackpressure } from '../../operators/map-with-backpressure.js';
import type { Socket } from '../../socket.js';
import { firstMismatch } from './numbered-bytes.js';
import { piecesCodec } from './pieces-codec.js';
import { LAWS, type Verdict } from './socket-laws.js';

/** How a reader reads: events, bytes, frames, or frames with a consumer that never finishes with the first. */
export type ReaderKind = 'events' | 'bytes' | 'frames' | 'stuck';
export const READER_KINDS: readonly ReaderKind[] = ['events', 'bytes', 'frames', 'stuck'];

/** What a reader may be told now. */
export interface Allowed {
  /** Whether bytes may come: nobody holds. */
  readonly data: boolean;
  /** Up to which byte the other end has sent. */
  readonly sent: number;
  /** Whether the other end has sent its FIN. */
  readonly end: boolean;
}

export class Reader {
  /** The number of the next byte that this reader expects. */
  position: number;
  /** Whether it was told of the peer's FIN. */
  ended = false;
  /** How it was told that the socket is over. */
  terminal: 'complete' | { readonly error: unknown } | undefined;
  drained = 0;
  readonly kind: ReaderKind;
  readonly #verdict: Verdict;
  readonly #allowed: () => Allowed;
  readonly #subscription: Subscription;
  #left = false;
  #closed = false;

  constructor(socket: Socket, kind: ReaderKind, position: number, verdict: Verdict, allowed: () => Allowed) {
    this.kind = kind;
    this.#verdict = verdict;
    this.position = position;
    this.#allowed = allowed;
    this.#subscription = this.#subscribe(socket);
  }

  leave(): void {
    this.#left = true;
    this.#subscription.unsubscribe();
  }

  #subscribe(socket: Socket): Subscription {
    const terminal = {
      error: (error: unknown) => this.#end({ error }),
      complete: () => this.#end('complete'),
    };
    if (this.kind === 'events') return socket.subscribe({ next: (event) => this.#event(event), ...terminal });
    const bytes = socket.pipe(data());
    const ends = tap<Uint8Array>({ complete: () => this.#noteEnd() });
    const takes = tap<Uint8Array>((chunk) => this.#take(chunk));
    if (this.kind === 'bytes') return bytes.pipe(ends, takes).subscribe(terminal);
    const frames = bytes.pipe(decode(piecesCodec), takes, ends);
    if (this.kind === 'frames') return frames.subscribe(terminal);
    return frames.pipe(mapWithBackpressure(() => NEVER)).subscribe(terminal);
  }

  #event(event: SocketEvent): void {
    if (this.#closed) this.#verdict.report(LAWS.order, 'no event after close', `the event ${event.type}`);
    if (event.type === 'data') this.#take(event.data);
    if (event.type === 'end') this.#noteEnd();
    if (event.type === 'drain') this.drained++;
    if (event.type === 'close') this.#closed = true;
  }

  #take(chunk: Uint8Array): void {
    const { data: mayTake, sent } = this.#allowed();
    if (this.#left) this.#verdict.report(LAWS.leaving, 'nothing after unsubscribe()', `${chunk.length} bytes`);
    if (this.terminal)
      this.#verdict.report(LAWS.order, 'nothing after the end of the subscription', `${chunk.length} bytes`);
    if (this.ended) this.#verdict.report(LAWS.order, 'no bytes after the end', `${chunk.length} bytes`);
    if (!mayTake && this.kind !== 'stuck')
      this.#verdict.report(LAWS.held, 'no bytes while held', `${chunk.length} bytes`);
    if (this.position + chunk.length > sent)
      this.#verdict.report(
        LAWS.content,
        `at most the ${sent} bytes that were sent`,
        `${this.position + chunk.length} bytes`,
      );
    checkContent(this.#verdict, this.position, chunk);
    this.position += chunk.length;
  }

  #noteEnd(): void {
    const { end, sent } = this.#allowed();
    if (this.ended) this.#verdict.report(LAWS.order, 'one end', 'a second end');
    if (!end) this.#verdict.report(LAWS.whole, 'no end: the other end has sent no FIN', 'an end');
    if (this.position < sent)
      this.#verdict.report(LAWS.whole, `an end after all ${sent} bytes`, `an end after ${this.position} bytes`);
    this.ended = true;
  }

  #end(terminal: 'complete' | { readonly error: unknown }): void {
    if (this.#left) this.#verdict.report(LAWS.leaving, 'nothing after unsubscribe()', 'a terminal notification');
    if (this.terminal) this.#verdict.report(LAWS.order, 'one terminal notification', 'a second one');
    this.terminal = terminal;
    if (this.kind === 'events' && !this.#closed)
      this.#verdict.report(LAWS.order, 'the event close before the terminal notification', 'no close');
  }
}

/** A reader that takes some frames and leaves in the middle of a chunk. */
export class Taker {
  /** How many bytes it has taken. */
  bytes = 0;
  /** Whether it has left. */
  done = false;

  constructor(socket: Socket, frames: number, from: number, verdict: Verdict) {
    const end = () => {
      this.done = true;
    };
    socket.pipe(data(), decode(piecesCodec), take(frames)).subscribe({
      next: (piece) => {
        checkContent(verdict, from + this.bytes, piece);
        this.bytes += piece.length;
      },
      error: end,
      complete: end,
    });
  }
}

/** Checks bytes that the far end has sent. */
export function checkContent(verdict: Verdict, from: number, bytes: Uint8Array): void {
  const index = firstMismatch('far', from, bytes);
  if (index !== undefined)
    verdict.report(LAWS.content, `byte ${from + index} of the stream`, `another byte (${bytes[index]})`);
}
