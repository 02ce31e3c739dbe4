// The lowest rate at which a peer may take what is written to it. While bytes wait for the peer, it looks once in a
// grace period how much the peer has taken since the last look. Two looks are needed to see a rate, so a peer that is
// too slow is given up after once to twice the grace period.
//
// While the event loop is blocked, only what the kernel has got can leave. So a look that is late because of that
// judges nothing: it begins a new period. The next one judges, also if it is late again.
import { type SchedulerLike, Subscription } from 'rxjs';
import { elapsedTime, hasVirtualTime } from '../base/clock.js';
import type { SocketLimits } from './limits.js';
import type { PeerProgress } from './peer-progress.js';

/** What the peer has taken so far, and what waits for it, in bytes. */
export interface WriteBacklog {
  readonly taken: number;
  readonly waiting: number;
}

/** Measures the backlog. Like a `ProgressMeter`, it does not look at the kernel in virtual time. */
export interface BacklogMeter {
  read(): WriteBacklog;
  /** Must not reject. */
  look(): Promise<WriteBacklog>;
}

/** A look is late by more than this, in milliseconds, and by more than a tenth of the grace period. */
const LATE = 50;

/** Our FIN counts as one byte that waits. */
const FIN = 1;

export class WriteRate {
  readonly #scheduler: SchedulerLike;
  readonly #bytesPerSecond: number;
  readonly #gracePeriod: number;
  readonly #meter: BacklogMeter;
  readonly #onTooSlow: () => void;
  /** The timer, or the look that follows it. */
  #pending: Subscription | undefined;
  /** Whether something was written since the last look began. */
  #wrote = false;
  #last: (WriteBacklog & { readonly at: number }) | undefined;
  /** Whether the last look was late, and judged nothing. */
  #isLate = false;

  /** @param gracePeriod In milliseconds. */
  constructor(
    scheduler: SchedulerLike,
    bytesPerSecond: number,
    gracePeriod: number,
    meter: BacklogMeter,
    onTooSlow: () => void,
  ) {
    this.#scheduler = scheduler;
    this.#bytesPerSecond = bytesPerSecond;
    this.#gracePeriod = gracePeriod;
    this.#meter = meter;
    this.#onTooSlow = onTooSlow;
  }

  /** Something was written: measures until nothing waits any more. */
  wrote(): void {
    this.#wrote = true;
    if (!this.#pending) this.#arm();
  }

  stop(): void {
    this.#pending?.unsubscribe();
    this.#pending = undefined;
    this.#last = undefined;
  }

  #arm(): void {
    this.#pending = this.#scheduler.schedule(() => {
      this.#wrote = false;
      if (hasVirtualTime(this.#scheduler)) this.#judge(this.#meter.read());
      else void this.#look();
    }, this.#gracePeriod);
  }

  async #look(): Promise<void> {
    // A look can be stopped too.
    const looking = new Subscription();
    this.#pending = looking;
    const backlog = await this.#meter.look();
    if (!looking.closed) this.#judge(backlog);
  }

  #judge({ taken, waiting }: WriteBacklog): void {
    const at = elapsedTime(this.#scheduler);
    this.#isLate = !this.#isLate && this.#lateBy(at) > Math.max(LATE, this.#gracePeriod / 10);
    const last = this.#isLate ? undefined : this.#last;
    // More than what waited is not asked for: a peer that takes everything is fast enough, however little it is.
    const least = last ? Math.min(last.waiting, (this.#bytesPerSecond * (at - last.at)) / 1000) : 0;
    if (last && taken - last.taken + FIN < least) this.#onTooSlow();
    else if (waiting === 0 && !this.#wrote) this.stop();
    else {
      this.#last = { taken, waiting, at };
      this.#arm();
    }
  }

  #lateBy(at: number): number {
    return this.#last ? at - this.#last.at - this.#gracePeriod : 0;
  }
}

/** What is measured: a connection. */
interface Writing {
  readonly writeSide: { readonly written: number; readonly pending: number };
  /** Asks the kernel. */
  readonly progress: Pick<PeerProgress, 'measure'>;
  /** Whether there is a kernel to ask. */
  readonly copiesWrites: boolean;
  timedOut(timeout: string, milliseconds: number, what: string): void;
}

/** Measures what the peer of a connection takes. Returns `undefined` without `minWriteRate`. */
export function measureWrites(
  { minWriteRate, writeGracePeriod, scheduler }: SocketLimits,
  connection: Writing,
): WriteRate | undefined {
  if (minWriteRate === 0) return undefined;
  const { writeSide } = connection;
  const meter: BacklogMeter = {
    read: () => ({ taken: writeSide.written, waiting: writeSide.pending }),
    look: async () => {
      if (!connection.copiesWrites) return meter.read();
      const { taken, queued, unacknowledged } = await connection.progress.measure();
      return { taken, waiting: Math.max(queued, writeSide.pending) + unacknowledged };
    },
  };
  const what = `was read at less than ${minWriteRate} bytes per second for`;
  const onTooSlow = () => connection.timedOut('minWriteRate', writeGracePeriod, what);
  return new WriteRate(scheduler, minWriteRate, writeGracePeriod, meter, onTooSlow);
}
