// Patterns have two wildcards, `*` and `?`. Every other character matches itself.
import { inspect } from 'node:util';
import { SocketRegistry } from '@rxsock/core/registry';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { glob } from '../../src/registry/glob.js';

test.each([
  ['www', 'www'],
  ['www*', 'www'],
  ['www*', 'www12'],
  ['*', 'a'],
  ['*', '.'],
  ['*', '..'],
  ['*', 'a/b'],
  ['*', '/'],
  ['*', 'a\nb'],
  ['**', 'a/b'],
  ['a*b', 'a/x/b'],
  ['a**b', 'ab'],
  ['*.x', '.x'],
  ['a?c', 'abc'],
  ['a?c', 'a/c'],
  ['a?c', 'a.c'],
  ['?', '\u{1F4A1}'],
  ['??', '\u{1F4A1}\u{1F4A1}'],
  ['*\u{1F4A1}?', '\u{1F4A1}\u{1F4A1}\u{1F4A1}'],
  ['?', '\n'],
  ['?', '/'],
  ['?', '['],
  ['?', '\ud83d'],
  ['*\n*', 'a\nb\n'],
  ['[*]', '[\n/]'],
  ['*ab', 'aab'],
  ['*aab*aab', 'aaabaaab'],
  ['??*', 'ab'],
  ['{a,b}', '{a,b}'],
  ['[ab]', '[ab]'],
  ['!a', '!a'],
  ['@(a|b)', '@(a|b)'],
  ['+(a)', '+(a)'],
  ['a\\*', 'a\\b'],
  ['^$.|', '^$.|'],
  ['./a', './a'],
])('%j matches %j', (pattern, name) => {
  expect(glob(pattern)(name)).toBe(true);
});

test.each([
  ['www*', 'ww'],
  ['www*', 'xwww'],
  ['www', 'www1'],
  ['www', 'WWW'],
  ['w?w', 'ww'],
  ['w?w', 'waaw'],
  ['?', 'ab'],
  ['*a', 'a/'],
  ['??', '\u{1F4A1}'],
  ['?\n', '\na'],
  ['\ud83d*', '\u{1F4A1}'],
  ['*aab*aab', 'aabab'],
  ['*', ''],
  ['{a,b}', 'a'],
  ['[ab]', 'a'],
  ['!a', 'b'],
  ['@(a|b)', 'a'],
  ['a.c', 'abc'],
  ['./a', 'a'],
  ['a*', 'b'],
])('%j does not match %j', (pattern, name) => {
  expect(glob(pattern)(name)).toBe(false);
});

const LONG = 100_000;

// A matcher that backtracks further than to the last star would need hours for some of these.
test.each([
  ['*a*a*a*a*b', 'a'.repeat(LONG), false],
  ['*a*a*a*a*b', `${'a'.repeat(LONG)}b`, true],
  [`${'*a'.repeat(50)}*b`, 'a'.repeat(LONG), false],
  [`${'*?'.repeat(50)}b`, 'a'.repeat(LONG), false],
  ['*'.repeat(LONG), 'a'.repeat(LONG), true],
  ['?'.repeat(LONG), 'a'.repeat(LONG), true],
  ['?'.repeat(LONG), 'a'.repeat(LONG + 1), false],
  ['*x', `${'a'.repeat(LONG)}\n/`, false],
  ['a*\u{1F4A1}', `${'a\n/'.repeat(LONG / 4)}\u{1F4A1}`, true],
  ['a'.repeat(LONG), 'a'.repeat(LONG), true],
] as const)('a long name is matched without exponential backtracking (%#)', (pattern, name, expected) => {
  expect(glob(pattern)(name)).toBe(expected);
});

test('a pattern matches as its definition says, for any pattern and any name', () => {
  const character = fc.oneof(fc.constantFrom(...'ab*?/.\\[]{}()!+@|^$\n'), fc.string({ unit: 'binary', maxLength: 1 }));
  const text = fc.array(character, { minLength: 1, maxLength: 8 }).map((characters) => characters.join(''));
  fc.assert(
    fc.property(text, text, (pattern, name) => {
      fc.pre(pattern !== '' && name !== '');
      expect(glob(pattern)(name)).toBe(matches([...pattern], [...name]));
      expect(glob(pattern.replaceAll(/[*?]/g, '*'))(pattern)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

describe('match()', () => {
  test.each(['', undefined, null, 5, /a/])('rejects %o as a pattern', (pattern) => {
    expect(() => new SocketRegistry().match(pattern as string)).toThrow(
      new TypeError(`pattern must be a string that is not empty, not ${inspect(pattern)}`),
    );
  });
});

function matches([first, ...pattern]: string[], name: string[]): boolean {
  if (first === undefined) return name.length === 0;
  if (first === '*') return matches(pattern, name) || (name.length > 0 && matches([first, ...pattern], name.slice(1)));
  return name.length > 0 && (first === '?' || first === name[0]) && matches(pattern, name.slice(1));
}
