// The law of linear time: measures a few inputs that grow, and reports a codec whose work grows faster.
import fc from 'fast-check';
import { toBytes } from '../base/bytes.js';
import type { Codec } from '../framing/codec.js';
import { LAWS, LawViolation } from './codec-laws.js';
import { type Cut, type GrowingInput, growingInputs, inputOf, showGrowingInput } from './growing-inputs.js';
import { type Growth, measureGrowth, measureTime, measureTouchedBytes } from './growth.js';

/** Linear time has the exponent 1, quadratic time 2. Caches that are too small for a longer input add a little. */
const MAX_EXPONENT = 1.5;

/** How many values and how many hostile inputs are used. */
const SAMPLES = 16;

/** Throws a LawViolation if the work of decoding grows clearly faster than the input. */
export function checkLinearTime<T>(
  codec: Codec<T>,
  values: fc.Arbitrary<T>,
  hostile: fc.Arbitrary<Uint8Array>,
  seed: number,
): void {
  const parameters = { seed, numRuns: SAMPLES };
  const encoded = fc.sample(values, parameters).map((value) => Uint8Array.from(toBytes(codec.encode(value))));
  for (const input of growingInputs(codec, encoded, fc.sample(hostile, parameters))) {
    for (const cut of input.cuts) {
      const bytes = growthOfTouchedBytes(codec, input, cut);
      if (bytes) reportGrowth(input, cut, bytes, (work) => `${work} bytes to copy or search`);
      const time = growthOfTime(codec, input, cut);
      if (time) reportGrowth(input, cut, time, (work) => `${work.toFixed(2)} ms`);
    }
  }
}

/** Returns the growth if it is too fast. One measurement is enough: the next would be the same. */
function growthOfTouchedBytes(codec: Codec<unknown>, input: GrowingInput, cut: Cut): Growth | undefined {
  const growth = measureGrowth(measureTouchedBytes, codec, input, cut, {
    longest: Math.min(8192, cut.maxLength),
    doublings: 4,
    repeats: 1,
  });
  return growth && growsTooFast(growth) ? growth : undefined;
}

/** Each doubling must have its part in the growth. A single leap is no growth: a buffer was full, or a cache too small. */
function growsTooFast({ exponent, measurements }: Growth): boolean {
  const leaps = measurements.slice(1).map(({ work }, i) => work / measurements[i]!.work);
  return exponent > MAX_EXPONENT && leaps.every((leap) => leap > 2);
}

/** How many fits must agree. One may be disturbed by other work, or by the garbage collector. */
const FITS = 3;

/** Returns the median of several growths if all are too fast. */
function growthOfTime(codec: Codec<unknown>, input: GrowingInput, cut: Cut): Growth | undefined {
  const longest = lengthToTime(codec, input, cut);
  if (longest === undefined) return undefined;
  const fits: Growth[] = [];
  while (fits.length < FITS) {
    const repeats = fits.length === 0 ? 1 : 2;
    const growth = measureGrowth(measureTime, codec, input, cut, { longest, doublings: 3, repeats });
    if (!growth || !growsTooFast(growth)) return undefined;
    fits.push(growth);
  }
  fits.sort((a, b) => a.exponent - b.exponent);
  return fits[FITS >> 1];
}

/** An input that takes so many milliseconds is long enough. */
const LONG_ENOUGH = 4;
/** If time seems to grow too fast, longer inputs make it clear, up to so many milliseconds. */
const LONGEST = 25;
/** What is faster than so many milliseconds cannot be measured well, and need not be. */
const FAST = 0.5;

/**
 * Doubles the length of an input until it takes long enough to measure. This warms the decoder up too.
 * @returns The longest length, or `undefined` if the decoder fails early or is fast with all of it.
 */
function lengthToTime(codec: Codec<unknown>, input: GrowingInput, { chunkLength, maxLength }: Cut): number | undefined {
  let longest: number | undefined;
  let before = 0;
  for (let length = 256; length <= maxLength; length *= 2) {
    const bytes = inputOf(input, length);
    let time = measureTime(codec, bytes, chunkLength);
    // The first time may be long only because the code was not compiled yet.
    if (time !== undefined && time > LONG_ENOUGH) time = measureTime(codec, bytes, chunkLength);
    if (time === undefined) break;
    if (time > FAST) longest = length;
    if (time > LONGEST || (time > LONG_ENOUGH && time < 2.5 * before)) break;
    before = time;
  }
  return longest;
}

function reportGrowth(
  input: GrowingInput,
  { name }: Cut,
  { exponent, measurements }: Growth,
  show: (work: number) => string,
): never {
  const each = measurements.map(({ length, work }) => `${length} bytes: ${show(work)}`);
  throw new LawViolation(LAWS.linearTime, [
    ['these bytes', showGrowingInput(input)],
    ['decoded', name],
    ['gave', each.join('; ')],
    ['that is', `work grows as the length to the power of ${exponent.toFixed(2)}`],
    ['instead of', 'the power of 1'],
  ]);
}
