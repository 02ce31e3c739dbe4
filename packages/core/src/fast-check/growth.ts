// Measures how the work of a decoder grows with the length of its input, and fits an exponent to it. Work is the bytes
// that the decoder touches, or the time that it takes.
import { performance } from 'node:perf_hooks';
import type { Codec } from '../framing/codec.js';
import { type Cut, type GrowingInput, inputOf } from './growing-inputs.js';
import { countTouchedBytes } from './touched-bytes.js';

/** How much work an input of this length was. */
interface Measurement {
  readonly length: number;
  readonly work: number;
}

/** Work grows as the length to the power of `exponent`. */
export interface Growth {
  readonly exponent: number;
  readonly measurements: readonly Measurement[];
}

/** Returns the work of decoding, or `undefined` if the decoder fails. */
export type Measure = (codec: Codec<unknown>, bytes: Uint8Array, chunkLength: number) => number | undefined;

/** Counts the bytes of the input too, so that no work is 0. */
export const measureTouchedBytes: Measure = (codec, bytes, chunkLength) => {
  let failed = false;
  const touched = countTouchedBytes(() => {
    failed = !decodeAll(codec, bytes, chunkLength);
  });
  return failed ? undefined : bytes.length + touched;
};

/** Measures in milliseconds. */
export const measureTime: Measure = (codec, bytes, chunkLength) => {
  const start = busyMilliseconds();
  return decodeAll(codec, bytes, chunkLength) ? Math.max(busyMilliseconds() - start, 0.001) : undefined;
};

/**
 * Measures inputs that double, up to `longest` bytes. The least work of `repeats` counts, because other programs and the
 * garbage collector only add time.
 */
export function measureGrowth(
  measure: Measure,
  codec: Codec<unknown>,
  input: GrowingInput,
  { chunkLength }: Cut,
  { longest, doublings, repeats }: { longest: number; doublings: number; repeats: number },
): Growth | undefined {
  const measurements: Measurement[] = [];
  for (let length = longest / 2 ** doublings; length <= longest; length *= 2) {
    const bytes = inputOf(input, length);
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < repeats; i++) {
      const work = measure(codec, bytes, chunkLength);
      if (work === undefined) return undefined;
      least = Math.min(least, work);
    }
    measurements.push({ length, work: least });
  }
  return { exponent: fitExponent(measurements), measurements };
}

/** The slope of the line through the logarithms, by least squares. */
function fitExponent(measurements: readonly Measurement[]): number {
  const points = measurements.map(({ length, work }) => [Math.log(length), Math.log(work)] as const);
  const mean = (index: 0 | 1) => points.reduce((sum, point) => sum + point[index], 0) / points.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

/** Returns `false` if the decoder fails. */
function decodeAll(codec: Codec<unknown>, bytes: Uint8Array, chunkLength: number): boolean {
  try {
    const decoder = codec.decoder();
    for (let at = 0; at < bytes.length; at += chunkLength) {
      decoder.push(bytes.subarray(at, Math.min(at + chunkLength, bytes.length)));
      while (decoder.next() !== undefined);
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * The time for which this process has been busy. On a machine with other work it tells more than the time that has
 * passed. Windows counts it in steps of 16 ms, so there it is the time that has passed.
 */
function busyMilliseconds(): number {
  if (process.platform === 'win32') return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
