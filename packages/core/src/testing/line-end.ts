// One end of a connection in memory, as a Duplex for the engine. Node's own streams tell 'end', 'finish' and 'close' on
// process.nextTick, which virtual time does not wait for: this one tells all on the scheduler.
import { Duplex } from 'node:stream';
import type { SchedulerLike, Subscription } from 'rxjs';
import { type Arrival, Line, type LineFaults } from './line.js';

/** What both directions of a connection do. */
export interface Wiring {
  readonly scheduler: SchedulerLike;
  /** Bytes that may be on their way or unread before a writer has to wait. */
  readonly window: number;
  /** What the line does that leaves the first end, and the one that leaves the second. */
  readonly faults: readonly [LineFaults, LineFaults];
}

/** Two ends that are joined. */
export function joinedEnds(wiring: Wiring): [Duplex, Duplex] {
  const a = new LineEnd(wiring, wiring.faults[0], () => b);
  const b = new LineEnd(wiring, wiring.faults[1], () => a);
  return [a, b];
}

class LineEnd extends Duplex {
  readonly #scheduler: SchedulerLike;
  readonly #window: number;
  readonly #peer: () => LineEnd;
  readonly #line: Line;
  #arrived: Arrival[] = [];
  /** Bytes that the peer has sent and that were not read here, on their way or arrived. */
  #unread = 0;
  #reading = false;
  #ended = false;
  /** Tells that the bytes at hand are out. */
  #sent: (() => void) | undefined;
  #sending: Subscription | undefined;
  #pumping: Subscription | undefined;

  constructor(wiring: Wiring, faults: LineFaults, peer: () => LineEnd) {
    super({ autoDestroy: false, emitClose: false });
    this.#scheduler = wiring.scheduler;
    this.#window = wiring.window;
    this.#peer = peer;
    this.#line = new Line(wiring.scheduler, faults, (arrival) => peer().#arrive(arrival));
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

  // A copy: after it is out, the memory is the writer's again.
  override _write(chunk: Uint8Array, _encoding: string, sent: () => void): void {
    this.#peer().#unread += this.#line.send(Buffer.from(chunk));
    this.#sent = sent;
    this.#sendOn();
  }

  // The engine ends when all is out.
  override end(): this {
    if (this.destroyed) return this;
    this.#ended = true;
    this.#line.finish();
    this.#scheduler.schedule(() => this.destroyed || this.emit('finish'));
    return this;
  }

  override destroy(error?: Error | null): this {
    if (this.destroyed) return this;
    if (error || !this.#ended) this.#line.reset();
    this.#close();
    this.#scheduler.schedule(() => this.emit('close'));
    return this;
  }

  // The write at hand is over when its last byte is out and there is room at the other end.
  #sendOn(): void {
    this.#sending ??= this.#scheduler.schedule(() => {
      this.#sending = undefined;
      const sent = this.#sent;
      if (!sent || this.#peer().#unread >= this.#window) return;
      this.#sent = undefined;
      sent();
    }, this.#line.busy);
  }

  #arrive(arrival: Arrival): void {
    if (!this.destroyed) {
      this.#arrived.push(arrival);
      this.#pump();
    } else if (arrival === 'broken') {
      this.#peer().#arrive('reset');
    } else if (typeof arrival !== 'string') {
      // Nobody is there any more, and that is what a system answers.
      this.#read(arrival);
      this.#line.reset();
    }
  }

  #pump(): void {
    this.#pumping ??= this.#scheduler.schedule(() => {
      this.#pumping = undefined;
      while (this.#reading && this.#arrived.length > 0) this.#tell(this.#arrived.shift() as Arrival);
    });
  }

  #tell(arrival: Arrival): void {
    if (arrival === 'fin') this.emit('end');
    else if (typeof arrival === 'string') {
      // The other end hears of it when this one has taken all that was to pass.
      if (arrival === 'broken') this.#peer().#arrive('reset');
      this.#fail();
    } else {
      this.emit('data', arrival);
      this.#read(arrival);
    }
  }

  #read(bytes: Buffer): void {
    this.#unread -= bytes.length;
    this.#peer().#sendOn();
  }

  #fail(): void {
    this.#close();
    this.emit('error', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }));
    this.emit('close');
  }

  #close(): void {
    this.destroyed = true;
    for (const arrival of this.#arrived) if (typeof arrival !== 'string') this.#unread -= arrival.length;
    this.#arrived = [];
    this.#sent = undefined;
    this.#sending?.unsubscribe();
    this.#pumping?.unsubscribe();
    const peer = this.#peer();
    if (!peer.destroyed) return peer.#sendOn();
    this.#line.stop();
    peer.#line.stop();
  }
}
