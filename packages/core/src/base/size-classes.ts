// Things sorted by size, so that the largest and the smallest are found without looking at all of them. The sizes are
// sorted into classes, each about a tenth wider than the one below. Within a class, the thing that has been there
// longest comes first. Every operation takes a time that does not depend on how many things there are.

/** How many classes there are while the size doubles. */
const PER_DOUBLING = 8;

export class SizeClasses<T> {
  /** The things of each class, by the number of the class. There are some hundred classes at most. */
  readonly #classes: (Set<T> | undefined)[] = [];
  readonly #classOf = new Map<T, number>();

  get size(): number {
    return this.#classOf.size;
  }

  /** Adds a thing, or changes its size. A thing of size 0 is removed. */
  set(thing: T, size: number): void {
    const next = size > 0 ? Math.floor(Math.log2(size) * PER_DOUBLING) : undefined;
    const previous = this.#classOf.get(thing);
    if (next === previous) return;
    if (previous !== undefined) this.#classes[previous]?.delete(thing);
    if (next === undefined) {
      this.#classOf.delete(thing);
    } else {
      this.#classOf.set(thing, next);
      this.#classes[next] ??= new Set();
      this.#classes[next].add(thing);
    }
  }

  delete(thing: T): void {
    this.set(thing, 0);
  }

  /** Returns the first thing of the largest class; `undefined` if there is none. */
  largest(): T | undefined {
    if (this.size === 0) return undefined;
    return firstOf(this.#classes.findLast(isFilled));
  }

  /** Returns the first thing of the smallest class; `undefined` if there is none. */
  smallest(): T | undefined {
    if (this.size === 0) return undefined;
    return firstOf(this.#classes.find(isFilled));
  }
}

function isFilled(things: Set<unknown> | undefined): boolean {
  return things !== undefined && things.size > 0;
}

function firstOf<T>(things: Set<T> | undefined): T | undefined {
  return things?.values().next().value;
}
