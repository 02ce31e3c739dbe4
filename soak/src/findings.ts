// What a process finds while it runs: counts, errors by kind, and broken invariants.
import { SocketError } from '@rxsock/core';

export class Findings {
  readonly counts: Record<string, number> = {};
  readonly errors: Record<string, number> = {};
  readonly violations: Record<string, number> = {};

  /** Counts something that was done. */
  count(name: string, amount = 1): void {
    add(this.counts, name, amount);
  }

  /**
   * Counts an error.
   *
   * @param where Where it came from.
   * @param expected The codes that may come there. Any other error breaks an invariant.
   */
  error(error: unknown, where: string, expected: readonly string[] = []): void {
    const kind = error instanceof SocketError ? error.code : error instanceof Error ? error.name : String(error);
    add(this.errors, `${where}: ${kind}`, 1);
    if (!expected.includes(kind)) this.violation(`unexpected error at ${where}: ${kind}, ${withoutNumbers(error)}`);
  }

  /** Counts a broken invariant. */
  violation(what: string): void {
    add(this.violations, what, 1);
  }
}

/** Returns the message of an error without its ports and counts, so that equal errors are counted together. */
function withoutNumbers(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\d+/g, '…');
}

function add(counts: Record<string, number>, name: string, amount: number): void {
  counts[name] = (counts[name] ?? 0) + amount;
}
