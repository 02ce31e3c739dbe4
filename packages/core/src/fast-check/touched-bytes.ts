// Counts the bytes that a function copies, searches or converts with the methods of Buffer and Uint8Array. The count is
// the same on any machine. Loops over single bytes are not in it: only a clock shows those.

/** Returns how many bytes a call has touched. */
type CountBytes = (self: ArrayLike<number>, args: unknown[], result: unknown) => number;

const lengthOf = (value: unknown) => (value as ArrayLike<number> | null | undefined)?.length ?? 0;
const ofSelf: CountBytes = (self) => self.length;
const ofArgument: CountBytes = (_self, [value]) => lengthOf(value);
const ofResult: CountBytes = (_self, _args, result) => (typeof result === 'number' ? result : lengthOf(result));

/** A search stops where it finds something. */
const searched: CountBytes = (self, [, start], result) => {
  const from = typeof start === 'number' ? start : 0;
  return Math.max(0, (typeof result === 'number' && result >= 0 ? result : self.length) - from);
};
const searchedBackwards: CountBytes = (self, [, start], result) => {
  const from = typeof start === 'number' ? Math.min(start, self.length) : self.length;
  return Math.max(0, from - Math.max(0, result as number));
};

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

const METHODS: readonly (readonly [object, string, CountBytes])[] = [
  [Buffer, 'concat', ofResult],
  [Buffer, 'from', ofArgument],
  [Buffer.prototype, 'copy', ofResult],
  [Buffer.prototype, 'toString', ofResult],
  [Buffer.prototype, 'indexOf', searched],
  [Buffer.prototype, 'lastIndexOf', searchedBackwards],
  [Buffer.prototype, 'includes', ofSelf],
  [typedArray, 'set', ofArgument],
  [typedArray, 'slice', ofResult],
  [typedArray, 'copyWithin', ofSelf],
  [typedArray, 'indexOf', searched],
  [typedArray, 'lastIndexOf', searchedBackwards],
  [TextDecoder.prototype, 'decode', ofArgument],
];

/** Runs a synchronous function, and returns how many bytes it has touched. */
export function countTouchedBytes(run: () => void): number {
  let touched = 0;
  // One method may call another, for example Buffer.concat() calls set(): only the outer one counts.
  let depth = 0;
  const restore: (() => void)[] = [];
  for (const [owner, name, count] of METHODS) {
    const property = Object.getOwnPropertyDescriptor(owner, name);
    if (property?.configurable !== true) continue;
    const original = property.value as (this: unknown, ...args: unknown[]) => unknown;
    const counting = function (this: unknown, ...args: unknown[]): unknown {
      depth++;
      try {
        const result = original.apply(this, args);
        if (depth === 1) touched += count(this as ArrayLike<number>, args, result);
        return result;
      } finally {
        depth--;
      }
    };
    Object.defineProperty(owner, name, { ...property, value: counting });
    restore.push(() => Object.defineProperty(owner, name, property));
  }
  try {
    run();
  } finally {
    for (const each of restore) each();
  }
  return touched;
}
