// Every option of every public function and method is checked at the call, and the table of them is complete.
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { coreRows } from './core-rows.js';
import type { Row } from './rows.js';
import { siblingRows } from './sibling-rows.js';
import { publicOptions } from './sources.js';
import { testingRows } from './testing-rows.js';
import { toolRows } from './tool-rows.js';

const rows = [...coreRows, ...toolRows, ...testingRows, ...siblingRows];

test('the table has every option of the sources, and no other', () => {
  const table = new Map<string, Set<string>>();
  for (const { name, options } of rows) {
    const [id = ''] = name.split(':');
    table.set(id, new Set([...(table.get(id) ?? []), ...Object.keys(options)]));
  }
  const sorted = (map: ReadonlyMap<string, ReadonlySet<string>>) =>
    Object.fromEntries([...map].map(([id, names]) => [id, [...names].sort()]).sort());
  expect(sorted(table)).toEqual(sorted(publicOptions()));
});

const isRefusal = (error: unknown): error is Error => error instanceof TypeError || error instanceof RangeError;

/** What a call throws. What it returns is brought to its end. */
async function thrownBy({ base, call, end }: Row, options: object): Promise<unknown> {
  try {
    const result = call({ ...base, ...options });
    await Promise.resolve(result).then(end, () => {});
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(rows)('$name', (row) => {
  const cases = Object.entries(row.options);

  test.each(cases)('%s takes what its kind takes', async (option, { good, required }) => {
    for (const value of required ? good : [undefined, ...good]) {
      const error = await thrownBy(row, { [option]: value });
      expect(isRefusal(error) ? error : undefined, inspect(value)).toBe(undefined);
    }
  });

  test.each(cases)('%s is refused at the call if it means nothing', async (option, { good, bad }) => {
    const takesNumbers = good.some((value) => typeof value === 'number');
    for (const value of bad) {
      const error = await thrownBy(row, { [option]: value });
      expect(error, inspect(value)).toSatisfy(isRefusal);
      if (typeof value === 'number' && takesNumbers) expect(error, inspect(value)).toBeInstanceOf(RangeError);
      if (value === '' || value === null) expect(error, inspect(value)).toBeInstanceOf(TypeError);
      expect((error as Error).message, inspect(value)).toMatch(new RegExp(`\\b${option}\\b`));
    }
  });

  test('what is not an object is refused in place of the options', () => {
    for (const options of [null, '', 'unknown', 0, 1, true, [], () => {}]) {
      expect(() => row.call(options as never), inspect(options)).toThrow(
        /^(?!Cannot (read|destructure)).* must be an object/,
      );
    }
  });
});
