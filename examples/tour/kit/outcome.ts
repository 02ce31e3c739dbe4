// What a step of the tour proves: claims with the figures that bear them out.

/** Something that was claimed, and whether it turned out so. */
export interface Check {
  readonly claim: string;
  readonly holds: boolean;
}

/** What came of a step. */
export interface Outcome {
  /** Bytes that passed through sockets. */
  readonly bytes: number;
  /** How long they took, in seconds; undefined where the step waits on purpose. */
  readonly seconds?: number | undefined;
  /** The most bytes that waited in a socket to be sent. */
  readonly peakQueue: number;
  readonly checks: readonly Check[];
}

export function check(holds: boolean, claim: string): Check {
  return { claim, holds };
}

/** Several outcomes as one. */
export function combine(parts: Readonly<Record<string, Outcome>>): Outcome {
  const outcomes = Object.values(parts);
  return {
    bytes: outcomes.reduce((sum, { bytes }) => sum + bytes, 0),
    peakQueue: Math.max(...outcomes.map(({ peakQueue }) => peakQueue)),
    checks: Object.entries(parts).flatMap(([name, { checks }]) =>
      checks.map(({ claim, holds }) => check(holds, `${name}: ${claim}`)),
    ),
  };
}
