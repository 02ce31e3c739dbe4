// Random choices that are the same for the same seed.
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class Random {
  readonly #generator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** Returns a whole number; `least` and `most` are possible. */
  integer(least: number, most: number): number {
    return uniformInt(this.#generator, least, most);
  }

  /** Returns a number from 0 to less than 1. */
  fraction(): number {
    return this.integer(0, 2 ** 32 - 1) / 2 ** 32;
  }

  /** Returns `true` in so many cases of 1. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)] as T;
  }

  /** Returns a whole number whose order of magnitude is random: as often between 1 and 10 as between 10 and 100. */
  size(least: number, most: number): number {
    return Math.round(least * (most / least) ** this.fraction());
  }

  /** Returns a time, in milliseconds, until something that happens once per `mean` milliseconds, without memory. */
  wait(mean: number): number {
    return -mean * Math.log(1 - this.fraction());
  }
}
