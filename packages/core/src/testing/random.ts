// Random numbers that are the same for the same seed and the same keys. They do not depend on what was drawn before, so
// that a byte meets the same fault however the bytes before it were cut into chunks.

const START = 0x9e3779b9;

/** Returns a number from 0 up to, but not including, 1. The keys are integers, for example the place in a stream. */
export function randomAt(seed: number, ...keys: number[]): number {
  let hash = START;
  for (const key of [seed, ...keys]) {
    hash = mix(hash ^ key) + START;
    // The upper half of an integer that does not fit into 32 bits.
    hash = mix(hash ^ Math.floor(key / 2 ** 32)) + START;
  }
  return mix(hash) / 2 ** 32;
}

// The last step of MurmurHash3: each bit of the result depends on all 32 bits.
function mix(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
