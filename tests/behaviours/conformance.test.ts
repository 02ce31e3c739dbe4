// docs/conformance.md: each of its rows points to a test that is there.
import { describe, expect, test } from 'vitest';
import { hasTest, rowsUnder } from './held-by.js';

// How many there are, so that none is lost with its test.
describe.each([
  ['Node', 61],
  ['Reactive Streams', 30],
])('%s', (heading, count) => {
  const rows = rowsUnder(heading);

  test.each(rows.map((row) => [row.name, row.behaviour, row] as const))('%s: %s', (_name, _behaviour, row) => {
    expect(hasTest(row), `${row.file} has no test "${row.title}"`).toBe(true);
  });

  test('no name is there twice, and none is lost', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    expect(rows).toHaveLength(count);
  });
});
