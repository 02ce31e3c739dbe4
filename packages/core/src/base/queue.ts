// A first-in, first-out queue that stays fast when it is long: shift() of a long array moves all that is left in it.

/** How many places may lie empty in front before they are given up. */
const SPARE = 1024;

export class Queue<T> {
  #items: (T | undefined)[] = [];
  /** Where the first item is; the places before it are empty. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the first item out; `undefined` if there is none. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head >= SPARE && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
