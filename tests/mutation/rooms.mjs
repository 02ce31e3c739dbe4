// The rooms of packages/core/src that mutation testing covers, and the tests near each.

const near = (...folders) => folders.map((folder) => `packages/core/test/${folder}/**/*.test.ts`);
const test = (name) => `packages/core/test/${name}.test.ts`;
const properties = (name) => `tests/properties/${name}.test.ts`;

/**
 * A mutant runs only tests of its room that reach it, so that it takes about a second. A test that starts processes or
 * moves megabytes would run for nearly every mutant.
 */
export const rooms = {
  framing: [...near('framing'), test('flow/decode'), test('reader/reader'), properties('framing')],
  flow: [...near('flow'), test('streams/flow-from'), test('streams/async-iterable')],
  engine: [...near('engine', 'socket'), test('dial/dialling')],
  operators: [...near('operators', 'flow'), test('server/serve'), test('socket/write-to')],
  reader: [...near('reader'), properties('reader')],
};

/** They match, but start processes, or wait for real time. */
export const slow = [test('flow/memory'), test('socket/turns')];
