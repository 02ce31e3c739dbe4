// Whether a context is that of the code that calls, so that it need not be entered.
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { AsyncContext } from '../../src/base/async-context.js';

const storage = new AsyncLocalStorage<string>();

test('is current in the code that creates it, with and without a store', () => {
  expect(new AsyncContext().isCurrent).toBe(true);
  expect(storage.run('a', () => new AsyncContext().isCurrent)).toBe(true);
});

test('is not current in another store, nor outside of its own', () => {
  const outside = new AsyncContext();
  const inside = storage.run('a', () => new AsyncContext());
  expect(storage.run('a', () => outside.isCurrent)).toBe(false);
  expect(storage.run('b', () => inside.isCurrent)).toBe(false);
  expect(inside.isCurrent).toBe(false);
});

test('leaves the store of the calling code as it is', () => {
  storage.run('a', () => {
    expect(new AsyncContext().isCurrent).toBe(true);
    expect(storage.getStore()).toBe('a');
  });
});
