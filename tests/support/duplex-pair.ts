// Streams in memory.
import { Duplex } from 'node:stream';

/**
 * Two connected byte streams: each reads what is written to the other. A write arrives at once, and completes when the
 * other side wants more. Their methods are options of `Duplex`, so that the streams themselves have them.
 */
export function duplexPair(): [Duplex, Duplex] {
  /** Each completes the write that waits until this side is read. */
  const waiting: Record<0 | 1, (() => void) | undefined> = [undefined, undefined];
  const side = (self: 0 | 1, other: 0 | 1) =>
    new Duplex({
      read() {
        const done = waiting[self];
        waiting[self] = undefined;
        done?.();
      },
      write(chunk: Buffer, _encoding, done) {
        waiting[other] = done;
        sides[other].push(chunk);
      },
      final(done) {
        sides[other].push(null);
        done();
      },
    });
  const sides: [Duplex, Duplex] = [side(0, 1), side(1, 0)];
  return sides;
}
