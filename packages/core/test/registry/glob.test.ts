// Patterns: two wildcards, and every other character means itself.
import { SocketRegistry } from '@rxsock/core';
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

test('as the definition says, for any pattern and any name', () => {
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

describe('a pattern must be', () => {
  test.each(['', undefined, null, 5, /a/])('something, and a string: not %o', (pattern) => {
    expect(() => new SocketRegistry().match(pattern as string)).toThrow(
      new TypeError('A pattern must be a string, and not empty'),
    );
  });
});

function matches([first, ...pattern]: string[], name: string[]): boolean {
  if (first === undefined) return name.length === 0;
  if (first === '*') return matches(pattern, name) || (name.length > 0 && matches([first, ...pattern], name.slice(1)));
  return name.length > 0 && (first === '?' || first === name[0]) && matches(pattern, name.slice(1));
}
