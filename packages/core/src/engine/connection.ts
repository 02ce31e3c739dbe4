// The state machine of one socket. Three independent parts and a life that ends once:
//
//   life    idle ──dial──▶ opening ──ready──▶ open ──▶ closed        (any ──fail──▶ closed)
//   input   flowing ──peer's FIN──▶ ended ──delivered──▶ told        (flowing ──read error──▶ cut)
//   output  the Outbox's: open ▶ completing ▶ finished | broken
//
// Everything that happens changes one of them and then calls `#advance`, which delivers what can be delivered and takes
// the next step: read on, send FIN, destroy the stream, conclude. Nothing else decides.
import type { Subscriber } from 'rxjs';
import type { Endpoint } from '../endpoint.js';
import {
  AbortedError,
  type ConnectAttempt,
  ConnectError,
  ResetError,
  SocketError,
  TimeoutError,
  WriteBufferOverflowError,
} from '../errors.js';
import type { CloseReport, SocketEvent } from '../events.js';
import { Holds, joinConsumer } from '../flow.js';
import { Audience } from './audience.js';
import { Deadline } from './deadline.js';
import { Inbox } from './inbox.js';
import { Link, type Transport } from './link.js';
import type { SocketLimits } from './options.js';
import { Outbox } from './outbox.js';

/** See {@link Socket.readyState}. */
export type ReadyState =
  | 'idle'
  | 'resolving'
  | 'connecting'
  | 'securing'
  | 'open'
  | 'readOnly'
  | 'writeOnly'
  | 'closing'
  | 'closed';

type Verdict = Pick<CloseReport, 'by' | 'how'>;

/** How a connection comes about: dialled, or accepted, that is open from birth and paused until somebody claims it. */
export type Birth =
  | { readonly connectTimeout: number }
  | { readonly accepted: true; readonly claimTimeout: number; readonly unclaimed: () => void };

export class Connection {
  readonly flow = new Holds((held) => this.#heldChanged(held));
  readonly outbox: Outbox;
  readonly limits: SocketLimits;
  allowHalfOpen: boolean;
  local: Endpoint | undefined;
  remote: Endpoint | undefined;
  bytesRead = 0;
  openedAt: number | undefined;
  lastReadAt: number | undefined;
  lastWriteAt: number | undefined;
  /** Set at the end. */
  report: CloseReport | undefined;

  readonly #transport: Transport;
  readonly #audience: Audience;
  readonly #inbox = new Inbox();
  readonly #attempts: ConnectAttempt[] = [];
  readonly #onConcluded: ((report: CloseReport) => void)[] = [];
  readonly #deadlines: Record<
    'connect' | 'halfOpen' | 'fin' | 'linger' | 'idle' | 'hold' | 'claim' | 'close',
    Deadline
  >;
  #life: 'idle' | 'opening' | 'open' | 'closed' = 'idle';
  #input: 'flowing' | 'ended' | 'told' | 'cut' = 'flowing';
  #step: 'resolving' | 'connecting' | 'securing' = 'resolving';
  #link: Link | undefined;
  #linkClosed = false;
  #claimed: boolean;
  /** Leaving or closing: what cannot be delivered now is dropped, and after that everything. */
  #parting = false;
  #dropping = false;
  #advancing = false;
  #failure: SocketError | undefined;
  #verdict: Verdict | undefined;
  #departure: { unsubscribe(): void } | undefined;

  constructor(transport: Transport, limits: SocketLimits, birth: Birth) {
    const born = 'accepted' in birth;
    this.#transport = transport;
    this.limits = limits;
    this.allowHalfOpen = limits.allowHalfOpen;
    this.#claimed = !born;
    this.#audience = new Audience(limits.scheduler);
    this.outbox = new Outbox(limits.highWaterMark, {
      progress: () => {
        this.lastWriteAt = limits.scheduler.now();
        this.#touch('halfOpen', 'linger', 'idle');
      },
      drained: () => this.#audience.tell({ type: 'drain' }),
    });
    const deadline = (timeout: string, milliseconds: number, hint: string) =>
      new Deadline(limits.scheduler, milliseconds, () => this.#timedOut(timeout, milliseconds, hint));
    this.#deadlines = {
      connect: deadline('connectTimeout', born ? 0 : birth.connectTimeout, 'the connection did not open'),
      halfOpen: deadline('halfOpenTimeout', limits.halfOpenTimeout, 'our side stayed open after the end of the peer'),
      fin: deadline('finTimeout', limits.finTimeout, 'the peer did not end its side and nobody reads'),
      linger: deadline('lingerTimeout', limits.lingerTimeout, 'the peer did not take the rest or end its side'),
      idle: deadline('idleTimeout', limits.idleTimeout, 'nothing was read or written'),
      hold: deadline('holdTimeout', limits.holdTimeout, 'the socket was held'),
      claim: new Deadline(limits.scheduler, born ? birth.claimTimeout : 0, () => born && birth.unclaimed()),
      close: deadline('close() timeout', Number.POSITIVE_INFINITY, ''),
    };
    limits.signal?.addEventListener('abort', this.#onSignal, { once: true });
    if (born) {
      this.dial();
      this.#opened();
      this.#deadlines.claim.start();
    }
    if (limits.signal?.aborted) this.#onSignal();
  }

  get readyState(): ReadyState {
    if (this.#life === 'opening') return this.#step;
    if (this.#life !== 'open') return this.#life;
    const finished = this.outbox.state === 'finished' || this.outbox.state === 'broken';
    if (this.#parting || this.#failure || (finished && this.#input !== 'flowing')) return 'closing';
    if (finished) return 'readOnly';
    return this.#input === 'flowing' ? 'open' : 'writeOnly';
  }

  /** Adds a reader, or a watcher of one type of event. */
  subscribe(subscriber: Subscriber<SocketEvent>, type?: SocketEvent['type']): () => void {
    this.#stay();
    const leave = this.#audience.add(subscriber, type);
    const release = joinConsumer(subscriber, this.flow);
    this.dial();
    this.claim();
    return () => {
      leave();
      release();
      this.#memberLeft();
    };
  }

  /** Somebody wants this connection: it may read. */
  claim(): void {
    this.#deadlines.claim.stop();
    this.#claimed = true;
    this.#advance();
  }

  dial(): void {
    if (this.#life !== 'idle') return;
    this.#life = 'opening';
    this.#deadlines.connect.start();
    this.#link = new Link(this.#transport, {
      progress: (event) => {
        if (event.type === 'connectionAttemptFailed') this.#attempts.push(event);
        if (event.type === 'connectionAttempt') this.#step = 'connecting';
        this.#audience.tell(event);
      },
      opened: () => this.#opened(),
      received: (chunk) => this.#received(chunk),
      ended: () => this.#ended(),
      wrote: () => this.outbox.wrote(),
      finished: () => this.#finished(),
      writeFailed: (error) => this.#writeFailed(error),
      failed: (error) => this.#failed(error),
      closed: () => {
        this.#linkClosed = true;
        this.#advance();
      },
    });
  }

  /** Takes bytes to write; answers whether there is room for more. Past `maxWriteBuffer` the socket fails. */
  write(bytes: Uint8Array): boolean {
    if (this.outbox.state !== 'open' || this.#life === 'closed') return false;
    const limit = this.limits.maxWriteBuffer;
    if (this.outbox.pending > limit) {
      const message = `${this.outbox.pending} bytes wait to be written, over maxWriteBuffer (${limit}): stop when next() answers false and go on at 'drain', or use writeTo()`;
      this.fail(new WriteBufferOverflowError(message, { phase: 'write', limit, ...this.#ends() }), 'error');
      return false;
    }
    return this.outbox.write(bytes);
  }

  complete(): void {
    this.outbox.complete();
    this.dial();
    this.claim();
  }

  abort(reason: unknown): void {
    const message = reason instanceof Error ? `Aborted: ${reason.message}` : 'Aborted';
    this.fail(new AbortedError(message, { phase: this.#phase('close'), cause: reason, ...this.#ends() }), 'abort');
  }

  /** Ends the socket from this side with an error: input is dropped, and the peer sees a reset. */
  fail(error: SocketError, how: 'timeout' | 'abort' | 'error'): void {
    if (this.#failure || this.#life === 'closed') return;
    this.#failure = error;
    this.#verdict = { by: 'local', how };
    this.#dropping = true;
    const flushed = this.outbox.state === 'finished' && how === 'timeout';
    this.outbox.break(error);
    if (!this.#link) this.#linkClosed = true;
    else if (flushed) this.#link.destroy();
    else this.#link.reset();
    this.#advance();
  }

  unshift(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#dropping) return;
    this.#inbox.unshift(bytes);
    this.#advance();
  }

  /** Flushes, sends FIN and waits for the peer's; drops what nobody takes meanwhile. */
  close(timeout: number): Promise<CloseReport> {
    if (this.report) return Promise.resolve(this.report);
    const concluded = new Promise<CloseReport>((resolve) => this.#onConcluded.push(resolve));
    if (this.#life === 'idle' && this.outbox.pending === 0) {
      this.#verdict = { by: 'local', how: 'fin' };
      this.#linkClosed = true;
      this.#advance();
      return concluded;
    }
    this.#deadlines.close = new Deadline(this.limits.scheduler, timeout, () =>
      this.#timedOut('close() timeout', timeout, 'the peer did not take the rest or end its side'),
    );
    this.#deadlines.close.start();
    this.#part();
    return concluded;
  }

  /** Calls `act` at the end of the connection. */
  whenConcluded(act: (report: CloseReport) => void): void {
    if (this.report) act(this.report);
    else this.#onConcluded.push(act);
  }

  /** What it failed with. */
  get failure(): SocketError | undefined {
    return this.#failure;
  }

  // ---- what the link tells

  #opened(): void {
    if (this.#life !== 'opening' || !this.#link) return;
    this.#life = 'open';
    this.#deadlines.connect.stop();
    this.openedAt = this.limits.scheduler.now();
    this.local = this.#link.local;
    this.remote = this.#link.remote;
    this.#deadlines.idle.start();
    this.#audience.tell({ type: 'connect', local: this.local, remote: this.remote });
    this.outbox.open(this.#link);
    this.#advance();
  }

  #received(chunk: Buffer): boolean {
    this.bytesRead += chunk.length;
    this.lastReadAt = this.limits.scheduler.now();
    this.#touch('idle', 'linger');
    if (!this.#dropping) {
      this.#inbox.push(chunk);
      this.#advance();
    }
    return this.#wantsMore();
  }

  #ended(): void {
    if (this.#input !== 'flowing') return;
    // A write that met a reset has used the error up: the kernel answers an end after it, which is none.
    const reset = this.#failure?.code === 'ECONNRESET';
    this.#input = reset ? 'cut' : 'ended';
    this.#verdict ??= { by: 'peer', how: 'fin' };
    if (reset) this.#link?.destroy();
    else if (this.outbox.state !== 'finished') this.#deadlines.halfOpen.start();
    this.#advance();
  }

  #finished(): void {
    this.outbox.finished();
    this.#verdict ??= { by: 'local', how: 'fin' };
    this.#deadlines.halfOpen.stop();
    this.#audience.tell({ type: 'finish' });
    this.#advance();
  }

  // Closes the write side only: what the peer has sent is delivered first, then the error.
  #writeFailed(cause: NodeJS.ErrnoException): void {
    if (this.#failure) return;
    this.#failure = new ResetError(`The peer stopped listening while bytes were written to it: ${cause.message}`, {
      code: cause.code ?? 'EPIPE',
      phase: 'write',
      cause,
      ...this.#ends(),
    });
    this.#verdict = { by: 'peer', how: 'reset' };
    this.outbox.break(this.#failure);
    this.#advance();
  }

  // The stream is destroyed; what it has received before is still to be delivered.
  #failed(cause: NodeJS.ErrnoException): void {
    if (this.#input === 'flowing') this.#input = 'cut';
    if (this.#failure) return this.#advance();
    if (this.#life === 'opening') {
      this.#failure = this.#connectError(cause);
      this.#verdict = { by: 'peer', how: 'error' };
    } else {
      const code = cause.code ?? 'EIO';
      const reset = code === 'ECONNRESET' || code === 'EPIPE';
      const phase = cause.syscall === 'write' || cause.syscall === 'shutdown' ? 'write' : 'read';
      const options = { code, phase, cause, ...this.#ends() } as const;
      this.#failure = reset
        ? new ResetError(`The peer reset the connection: ${cause.message}`, options)
        : new SocketError(`The connection failed: ${cause.message}`, options);
      this.#verdict = { by: 'peer', how: reset ? 'reset' : 'error' };
    }
    this.outbox.break(this.#failure);
    this.#advance();
  }

  // ---- the next step

  #advance(): void {
    if (this.#advancing || this.#life === 'closed') return;
    this.#advancing = true;
    try {
      this.#deliver();
    } finally {
      this.#advancing = false;
    }
    if (this.#life === 'open' && this.#wantsMore()) this.#link?.read();
    this.#setFinDeadline();
    const inputDone = this.#input === 'told' || (this.#dropping && this.#input === 'ended');
    const outputDone = this.outbox.state === 'finished' || this.outbox.state === 'broken';
    if (inputDone && outputDone) this.#link?.destroy();
    if (this.#linkClosed) this.#concludeWhenDelivered();
  }

  #deliver(): void {
    for (;;) {
      if (this.#parting && !this.#deliverable && (this.#inbox.bytes > 0 || this.flow.held)) this.#dropping = true;
      if (this.#dropping) this.#inbox.clear();
      if (this.#inbox.bytes > 0) {
        if (!this.#deliverable) return;
        const { offset } = this.#inbox;
        this.#audience.deliver(this.#inbox.shift() as Buffer, offset);
      } else {
        if (this.#input !== 'ended' || this.flow.held || this.#dropping || this.#life !== 'open') return;
        this.#input = 'told';
        this.#audience.tell({ type: 'end' });
        if (!this.allowHalfOpen) this.outbox.complete();
      }
    }
  }

  get #deliverable(): boolean {
    return this.#audience.readers > 0 && !this.flow.held;
  }

  #wantsMore(): boolean {
    return this.#input === 'flowing' && this.#claimed && this.#inbox.bytes < this.limits.highWaterMark;
  }

  #concludeWhenDelivered(): void {
    const waiting = !this.#dropping && (this.#inbox.bytes > 0 || this.#input === 'ended');
    if (!waiting) this.#conclude();
    else if (this.#audience.readers === 0 && !this.#departure) {
      // Nobody reads: by the next turn a next reader may have come for the rest.
      this.#departure = this.limits.scheduler.schedule(() => this.#conclude());
    }
  }

  #conclude(): void {
    if (this.#life === 'closed') return;
    this.#life = 'closed';
    for (const deadline of Object.values(this.#deadlines)) deadline.stop();
    this.#stay();
    this.limits.signal?.removeEventListener('abort', this.#onSignal);
    this.#inbox.clear();
    const whole = this.#input === 'told' && this.outbox.state === 'finished';
    if (!this.#failure && !whole && this.openedAt !== undefined && this.#audience.size > 0 && !this.#parting) {
      this.#failure = new AbortedError('The stream was destroyed before both sides had ended', {
        phase: 'close',
        ...this.#ends(),
      });
      this.#verdict = { by: 'local', how: 'abort' };
    }
    this.outbox.break(this.#failure ?? new AbortedError('The socket is closed', { phase: 'write', ...this.#ends() }));
    const now = this.limits.scheduler.now();
    this.report = {
      ...(this.#verdict ?? { by: 'local', how: 'abort' }),
      bytesRead: this.bytesRead,
      bytesWritten: this.outbox.written,
      bytesUnsent: this.outbox.pending,
      duration: this.openedAt === undefined ? 0 : now - this.openedAt,
    };
    if (this.#failure && this.#audience.size === 0 && this.outbox.unheard) process.emitWarning(this.#failure);
    this.#audience.close({ type: 'close', report: this.report }, this.#failure);
    for (const act of this.#onConcluded) act(this.report);
  }

  // ---- leaving

  #memberLeft(): void {
    this.#advance();
    if (this.#audience.size > 0 || this.#life === 'closed' || this.#life === 'idle') return;
    const { keepOpen, scheduler } = this.limits;
    if (keepOpen === true || this.#parting) return;
    this.#stay();
    this.#departure = scheduler.schedule(() => this.#leave(), keepOpen === false ? 0 : keepOpen);
  }

  #stay(): void {
    this.#departure?.unsubscribe();
    this.#departure = undefined;
  }

  #leave(): void {
    if (this.#life === 'opening' && this.outbox.pending === 0 && this.outbox.state === 'open') {
      return this.abort(new Error('everybody had left before the connection was open'));
    }
    const answering = this.#input === 'told' && this.allowHalfOpen && this.outbox.state === 'open';
    if (!answering) this.#part();
  }

  #part(): void {
    this.#parting = true;
    this.#deadlines.linger.start();
    this.complete();
    this.#advance();
  }

  // ---- limits

  #heldChanged(held: boolean): void {
    if (held) {
      this.#deadlines.hold.start();
      this.#deadlines.idle.stop();
    } else {
      this.#deadlines.hold.stop();
      if (this.#life === 'open') this.#deadlines.idle.start();
    }
    this.#advance();
  }

  #setFinDeadline(): void {
    const waits =
      (this.outbox.state === 'finished' || this.outbox.state === 'broken') &&
      this.#input === 'flowing' &&
      !this.#parting;
    if (!waits || this.#audience.readers > 0) this.#deadlines.fin.stop();
    else if (!this.#deadlines.fin.running) this.#deadlines.fin.start();
  }

  #touch(...names: ('halfOpen' | 'linger' | 'idle')[]): void {
    for (const name of names) this.#deadlines[name].touch();
  }

  #timedOut(timeout: string, milliseconds: number, what: string): void {
    if (timeout === 'idleTimeout') this.#audience.tell({ type: 'timeout' });
    const holders = timeout === 'holdTimeout' ? ` by ${this.flow.holds.join(', ')}` : '';
    const message = `${timeout}: ${what}${holders} for ${milliseconds} ms (${this.#transport.target})`;
    const options = { timeout, milliseconds, phase: this.#phase('read'), ...this.#ends() };
    this.fail(new TimeoutError(message, options), 'timeout');
  }

  readonly #onSignal = () => this.abort(this.limits.signal?.reason);

  #phase(otherwise: 'read' | 'close'): 'open' | 'read' | 'close' {
    return this.#life === 'idle' || this.#life === 'opening' ? 'open' : otherwise;
  }

  #ends(): { local: Endpoint | undefined; remote: Endpoint | undefined } {
    return { local: this.local, remote: this.remote };
  }

  #connectError(cause: NodeJS.ErrnoException): ConnectError {
    const tried = this.#attempts.map(({ address, port, code }) => ({ address, port, code }));
    const { address, port } = cause as { address?: string; port?: number };
    if (tried.length === 0 && address !== undefined && port !== undefined) {
      tried.push({ address, port, code: cause.code ?? 'EIO' });
    }
    const detail = tried.map((attempt) => `${attempt.address} ${attempt.code}`).join(', ') || cause.message;
    return new ConnectError(`Cannot connect to ${this.#transport.target}: ${detail}`, {
      code: cause.code ?? 'EIO',
      phase: 'open',
      cause,
      attempts: tried,
    });
  }
}
