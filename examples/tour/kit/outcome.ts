// What a step of the tour measures and proves.

/** A claim, and whether it turned out to be true. */
export interface Check {
  /** A sentence with the measured values. */
  readonly claim: string;
  readonly holds: boolean;
}

/** The outcome of a step. */
export interface Outcome {
  /** How many bytes went through sockets. */
  readonly bytes: number;
  /** How long that took, in seconds; `undefined` if the step waits on purpose. */
  readonly seconds?: number | undefined;
  /** The most bytes that waited to be sent in one socket. */
  readonly peakQueue: number;
  readonly checks: readonly Check[];
}

export function check(holds: boolean, claim: string): Check {
  return { claim, holds };
}

/** Combines several outcomes, by their names, into one. */
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
