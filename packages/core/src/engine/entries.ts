// Entries in the order in which they came: an array while they are few, as nearly always, and a set once they are many.
// To take one entry out of a long array moves all that are behind it, so that many would take quadratic time.
//
// The entries that a loop goes through must not change meanwhile. Whoever loops therefore asks for a copy at the next
// change. Other changes are made in place, because to copy each time would take quadratic time too.

/** Do not change them: {@link withEntry} and {@link withoutEntry} return the new ones. */
export type Entries<T> = readonly T[] | ReadonlySet<T>;

export const NO_ENTRIES: Entries<never> = [];

/** How many entries an array has at most. A set takes more memory, and a short array as little time. */
const MOST_IN_ARRAY = 64;

export function sizeOf(entries: Entries<unknown>): number {
  return isArray(entries) ? entries.length : entries.size;
}

/** Returns the only entry; `undefined` if there are more, or none. */
export function onlyOne<T>(entries: Entries<T>): T | undefined {
  if (sizeOf(entries) !== 1) return undefined;
  return isArray(entries) ? entries[0] : [...entries][0];
}

/** @param copy Whether a loop may be going through the entries. */
export function withEntry<T>(entries: Entries<T>, entry: T, copy: boolean): Entries<T> {
  // An array that was pushed to keeps places for sixteen more, so that the first entry makes an array of one.
  if (isArray(entries) && entries.length < MOST_IN_ARRAY) {
    if (copy || entries.length === 0) return entries.concat(entry);
    (entries as T[]).push(entry);
    return entries;
  }
  return changeable(entries, copy).add(entry);
}

/** @param copy Whether a loop may be going through the entries. */
export function withoutEntry<T>(entries: Entries<T>, entry: T, copy: boolean): Entries<T> {
  if (!isArray(entries)) {
    const rest = changeable(entries, copy);
    rest.delete(entry);
    return rest;
  }
  if (entries.length === 1 && entries[0] === entry) return NO_ENTRIES;
  if (copy) return entries.filter((other) => other !== entry);
  const at = entries.indexOf(entry);
  if (at >= 0) (entries as T[]).splice(at, 1);
  return entries;
}

function changeable<T>(entries: Entries<T>, copy: boolean): Set<T> {
  return copy || isArray(entries) ? new Set(entries) : (entries as Set<T>);
}

function isArray<T>(entries: Entries<T>): entries is readonly T[] {
  return Array.isArray(entries);
}
