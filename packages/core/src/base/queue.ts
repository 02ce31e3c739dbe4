// A first-in, first-out queue that stays fast when it is long. `shift()` of a long array moves all elements behind it.

/** The array is shortened when this many places, and at least half of all places, are empty. */
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

  /** Returns the first item; `undefined` if the queue is empty. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Returns the last item; `undefined` if the queue is empty. */
  peekLast(): T | undefined {
    return this.#items.at(-1);
  }

  /** Puts another item in the place of the last one. The queue must not be empty. */
  replaceLast(item: T): void {
    this.#items[this.#items.length - 1] = item;
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
