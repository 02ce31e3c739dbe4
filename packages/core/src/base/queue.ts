// A first-in, first-out queue that stays fast when it is long. `shift()` of a long array moves all elements behind it.

/** How many empty places may precede the first item before the array is cut. */
const SPARE = 1024;

export class Queue<T> {
  #items: (T | undefined)[] = [];
  /** The index of the first item. The places before it are empty. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Removes and returns the first item; `undefined` if the queue is empty. */
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
