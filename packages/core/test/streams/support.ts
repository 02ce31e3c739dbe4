// Streams in memory.
import { Duplex } from 'node:stream';

class Half extends Duplex {
  other: Half | undefined;
  /** Completes the write that waits until this side is read. */
  waiting: (() => void) | undefined;

  override _read(): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const { other } = this as { other: Half };
    other.waiting = done;
    other.push(chunk);
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }
}

/**
 * Two connected byte streams: each reads what is written to the other. A write completes when the other side wants
 * more.
 */
export function duplexPair(): [Duplex, Duplex] {
  const [a, b] = [new Half(), new Half()];
  a.other = b;
  b.other = a;
  return [a, b];
}
