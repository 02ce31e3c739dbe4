// SizeClasses: finds the largest and the smallest, to within a tenth.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkProperty } from '../../../../tests/support/property.js';
import { SizeClasses } from '../../src/base/size-classes.js';

const step = fc.tuple(fc.nat(9), fc.oneof(fc.nat(20), fc.maxSafeNat()));

test('the largest and the smallest are found to within a tenth, whatever has changed before', () => {
  const property = fc.property(fc.array(step), (steps) => {
    const classes = new SizeClasses<number>();
    const sizes = new Map<number, number>();
    for (const [thing, size] of steps) {
      classes.set(thing, size);
      if (size > 0) sizes.set(thing, size);
      else sizes.delete(thing);
      const all = [...sizes.values()];
      const sizeOf = (found: number | undefined) => (found === undefined ? undefined : sizes.get(found));
      expect(classes.size).toBe(sizes.size);
      if (sizes.size === 0) {
        expect([classes.largest(), classes.smallest()]).toEqual([undefined, undefined]);
      } else {
        expect(sizeOf(classes.largest())).toBeGreaterThan(Math.max(...all) / 1.1);
        expect(sizeOf(classes.smallest())).toBeLessThan(Math.min(...all) * 1.1);
      }
    }
  });
  checkProperty(property);
});

test('of those of about the same size, the one that has had it longest comes first', () => {
  const classes = new SizeClasses<string>();
  classes.set('first', 1001);
  classes.set('second', 1003);
  classes.set('first', 1002);
  expect([classes.largest(), classes.smallest()]).toEqual(['first', 'first']);
  classes.set('first', 1);
  classes.set('first', 1001);
  expect([classes.largest(), classes.smallest()]).toEqual(['second', 'second']);
  classes.delete('second');
  expect(classes.largest()).toBe('first');
});
