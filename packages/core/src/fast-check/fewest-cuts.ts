// Makes the counterexample of verifyCodec() easier to read: leaves out every cut that does not matter.
import { cutInto } from './arbitraries.js';
import { LawViolation } from './codec-laws.js';

/** How many cases to try at most. */
const MAX_TRIES = 500;

/**
 * Returns the violation with the fewest cuts that is found. fast-check makes the bytes few, not the cuts.
 *
 * @param check Tries a case with these sizes of chunks. Throws a LawViolation if the codec breaks a law.
 * @param length The length of the longest input that `check` cuts.
 */
export function withFewestCuts(
  violation: LawViolation,
  sizes: readonly number[],
  length: number,
  check: (sizes: readonly number[]) => void,
): LawViolation {
  let best = violation;
  let lengths = cutInto(new Uint8Array(length), sizes).map((chunk) => chunk.length);
  let tries = 0;
  const breaksTheSameLaw = (candidate: readonly number[]): boolean => {
    tries++;
    try {
      // The last size is long enough, so that no size is used twice.
      check([...candidate, length]);
    } catch (error) {
      if (!(error instanceof LawViolation) || error.law !== violation.law) return false;
      best = error;
      return true;
    }
    return false;
  };
  // Joins many chunks at once at first, and at last two.
  for (let joined = lengths.length; joined >= 2 && tries < MAX_TRIES; joined = nextStep(joined)) {
    for (let at = 0; at + 1 < lengths.length && tries < MAX_TRIES; ) {
      const sum = lengths.slice(at, at + joined).reduce((a, b) => a + b, 0);
      const candidate = [...lengths.slice(0, at), sum, ...lengths.slice(at + joined)];
      if (breaksTheSameLaw(candidate)) lengths = candidate;
      else at++;
    }
  }
  return best;
}

const nextStep = (joined: number) => (joined === 2 ? 0 : Math.max(2, Math.floor(joined / 2)));
