// Wildcards in the names of sockets: `*` and `?`.
import { typeError } from '../base/check.js';

/** Returns whether the text contains a wildcard. */
export function hasWildcard(text: string): boolean {
  return /[*?]/.test(text);
}

/**
 * Compiles a pattern to a predicate of names: `*` matches any characters or none, `?` matches one character, and every
 * other character matches itself. A character is a code point.
 *
 * @throws TypeError unless the pattern is a string that is not empty.
 */
export function glob(pattern: string): (name: string) => boolean {
  if (typeof pattern !== 'string' || pattern === '') throw typeError('pattern', 'a string that is not empty', pattern);
  const wanted = Array.from(pattern);
  return (name) => name !== '' && matches(wanted, Array.from(name));
}

/**
 * Walks both lists side by side. After a mismatch, only the last star is tried again, with one more character. An
 * earlier star need not be tried again, because the last star can match the same characters. So the cost is at most the
 * product of both lengths.
 */
function matches(pattern: readonly string[], name: readonly string[]): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = n;
    } else if (pattern[p] === '?' || pattern[p] === name[n]) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
