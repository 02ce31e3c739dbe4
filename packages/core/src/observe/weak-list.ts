// A list that keeps none of its members alive. It is for what may be forgotten without being closed.

export class WeakList<T extends object> implements Iterable<T> {
  readonly #members = new Set<WeakRef<T>>();
  readonly #references = new WeakMap<T, WeakRef<T>>();
  readonly #collected = new FinalizationRegistry<WeakRef<T>>((reference) => this.#members.delete(reference));

  add(member: T): void {
    const reference = new WeakRef(member);
    this.#members.add(reference);
    this.#references.set(member, reference);
    this.#collected.register(member, reference);
  }

  delete(member: T): void {
    const reference = this.#references.get(member);
    if (reference) this.#members.delete(reference);
  }

  *[Symbol.iterator](): Generator<T, void> {
    for (const reference of this.#members) {
      const member = reference.deref();
      if (member) yield member;
    }
  }
}
