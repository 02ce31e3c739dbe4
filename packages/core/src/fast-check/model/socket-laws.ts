// The laws of sockets that socketModel() checks, and the error that tells which one is broken, and by which story.

/** The laws. Each begins with its name and says what it demands. */
export const LAWS = {
  content: '"content": every byte arrives once, unchanged and in order, at whichever reader comes next',
  delivered: '"delivered": what one end has sent reaches the other end, if it reads',
  held: '"held": nothing is delivered while somebody holds, and holds end with their release',
  bounded: '"bounded": while nobody takes the bytes, no more than about two marks of them are read ahead',
  memory: '"memory": what waits costs about as much memory as it has bytes',
  whole: '"a FIN means whole": an end is told only after everything was sent and a FIN came',
  ends: '"ends": a FIN reaches the other end, after all bytes',
  order: '"order": close is the last event, then comes one terminal notification, and nothing after it',
  leaving: '"leaving": a reader that has left receives nothing more; the last that leaves closes the socket',
  decisions: '"decisions": what this side decides reaches every subscriber at once, whoever holds',
  writes: '"writes": next() and write() say what became of the bytes, and drain follows when there is room again',
  turns: '"turns": one connection does not keep the event loop: it writes no more than about 4 MiB in a turn',
  clock: '"clock": a connection that waits is closed by a limit, but for the states that the application owns',
  nothingLeft: '"nothing left": a closed connection keeps no timer and no hold',
} as const;

export type Law = (typeof LAWS)[keyof typeof LAWS];

/** A connection breaks a law. */
class SocketLawViolation extends Error {
  readonly law: Law;
  readonly expected: string;
  readonly received: string;

  constructor(law: Law, expected: string, received: string, story: readonly string[]) {
    const steps = story.map((step, index) => `  ${index + 1}. ${step}`);
    const result = [`  expected: ${expected}`, `  received: ${received}`];
    super([`The connection breaks the law ${law}`, ...steps, ...result].join('\n'));
    this.law = law;
    this.expected = expected;
    this.received = received;
  }
}

/**
 * Collects what is found wrong. Subscribers cannot throw: a socket passes on what they throw to the process. So they
 * report here, and the first report fails the run.
 */
export class Verdict {
  #first: { readonly law: Law; readonly expected: string; readonly received: string } | undefined;
  /** What was done so far, one sentence each. */
  readonly story: string[] = [];

  report(law: Law, expected: string, received: string): void {
    this.#first ??= { law, expected, received };
  }

  /** Throws the first violation that was reported. */
  check(): void {
    if (!this.#first) return;
    const { law, expected, received } = this.#first;
    throw new SocketLawViolation(law, expected, received, this.story);
  }
}
