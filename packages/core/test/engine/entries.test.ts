// Entries that come and leave in any order, few and many, while loops go through them.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkProperty } from '../../../../tests/support/property.js';
import { type Entries, NO_ENTRIES, onlyOne, sizeOf, withEntry, withoutEntry } from '../../src/engine/entries.js';

/** How many entries come, or which part of those that are there leaves, or a loop that begins. */
const changes = fc.array(
  fc.oneof(
    fc.record({ come: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ leave: fc.double({ min: 0, max: 1, noNaN: true }), every: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ loop: fc.constant(true) }),
  ),
  { maxLength: 20 },
);

test('they stay in their order, and those that a loop goes through do not change', () => {
  checkProperty(
    fc.property(changes, (steps) => {
      let entries: Entries<number> = NO_ENTRIES;
      let expected: number[] = [];
      let looped = false;
      let next = 0;
      const loops: { entries: Entries<number>; expected: number[] }[] = [];
      for (const step of steps) {
        const came = 'come' in step ? Array.from({ length: step.come }, () => next++) : [];
        const from = 'leave' in step ? Math.floor(step.leave * expected.length) : expected.length;
        const left = expected.filter((_, index) => 'leave' in step && index >= from && index % step.every === 0);
        for (const entry of came) {
          entries = withEntry(entries, entry, looped);
          looped = false;
        }
        for (const entry of left) {
          entries = withoutEntry(entries, entry, looped);
          looped = false;
        }
        expected = [...expected, ...came].filter((entry) => !left.includes(entry));
        if ('loop' in step) {
          loops.push({ entries, expected });
          looped = true;
        }
        expect([...entries]).toEqual(expected);
        expect([sizeOf(entries), onlyOne(entries)]).toEqual([
          expected.length,
          expected.length === 1 ? expected[0] : undefined,
        ]);
      }
      for (const loop of loops) expect([...loop.entries]).toEqual(loop.expected);
    }),
  );
});

test('one that is left of many is the only one', () => {
  let entries: Entries<number> = NO_ENTRIES;
  for (let entry = 0; entry < 200; entry++) entries = withEntry(entries, entry, false);
  for (let entry = 0; entry < 199; entry++) entries = withoutEntry(entries, entry, false);
  expect([sizeOf(entries), onlyOne(entries)]).toEqual([1, 199]);
});

test('one that is not there cannot leave', () => {
  const few = withEntry(NO_ENTRIES, 1, false);
  expect([
    ...withoutEntry(few, 2, false),
    ...withoutEntry(few, 2, true),
    ...withoutEntry(NO_ENTRIES, 2, false),
  ]).toEqual([1, 1]);
});
