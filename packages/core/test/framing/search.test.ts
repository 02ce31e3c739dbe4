import { expect, test } from 'vitest';
import { DelimiterSearch } from '../../src/framing/delimiter-search.js';

test('finds what a search in the whole text finds, for every short text, delimiter and cut', () => {
  let found = 0;
  for (const delimiter of ['a', 'aa', 'ab', 'aab', 'aba', 'abab', 'aabaa', 'abaab']) {
    for (let bits = 0; bits < 2 ** 9; bits++) {
      const text = bits.toString(2).padStart(9, '0').replaceAll('0', 'a').replaceAll('1', 'b');
      const index = text.indexOf(delimiter);
      for (let cut = 0; cut <= text.length; cut++) {
        const search = new DelimiterSearch(Buffer.from(delimiter));
        const first = search.find(Buffer.from(text.slice(0, cut)), 0);
        if (first < 0) {
          const length = Array.from(delimiter, (_, i) => i).findLast((i) =>
            text.slice(0, cut).endsWith(delimiter.slice(0, i)),
          );
          expect(search.matchedLength, `${delimiter} in ${text.slice(0, cut)}`).toBe(length);
        }
        const end = first >= 0 ? first : search.find(Buffer.from(text.slice(cut)), 0);
        const expected = index < 0 ? -1 : index + delimiter.length - (first >= 0 ? 0 : cut);
        if (end !== expected) expect.fail(`${delimiter} in ${text}, cut at ${cut}: ${end} and not ${expected}`);
        if (end >= 0) found++;
      }
    }
  }
  expect(found).toBeGreaterThan(1000);
});

test('compares single bytes only where a delimiter may be cut', () => {
  const text = Buffer.from('xxxxxxxxxx--abc--xxxxxxxxxx'.repeat(100));
  let reads = 0;
  const counted = new Proxy(text, {
    get: (target, key) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const search = new DelimiterSearch(Buffer.from('--abcd'));
  expect(search.find(counted, 0)).toBe(-1);
  expect(reads).toBe(5);
  search.matchedLength = 4;
  expect(search.find(counted, 0)).toBe(-1);
  expect(reads).toBe(5 + 1 + 5);
});
