// The rooms of packages/core/src that mutation testing covers, and the tests near each.

const near = (...folders) => folders.map((folder) => `packages/core/test/${folder}/**/*.test.ts`);
const test = (name) => `packages/core/test/${name}.test.ts`;
const properties = (name) => `tests/properties/${name}.test.ts`;
const options = 'tests/options/options.test.ts';

/**
 * A mutant runs only tests of its room that reach it: first the quick ones. Only a mutant that survives these runs the
 * thorough ones, which take long, or pass one line of code a million times.
 */
export const rooms = {
  framing: {
    quick: [...near('framing'), test('engine/read-memory'), test('flow/decode'), test('reader/reader')],
    thorough: [test('framing/memory'), test('framing/search'), properties('framing')],
  },
  flow: {
    quick: [...near('flow'), test('streams/flow-from'), test('streams/async-iterable')],
    thorough: [test('flow/queue')],
  },
  engine: {
    quick: [
      ...near('engine', 'socket'),
      ...['dial/dialling', 'dial/several-addresses', 'wire/failed-writes'].map(test),
    ],
    thorough: [
      ...['dial/aborts', 'dial/hosts', 'dial/self-connection', 'diagnostics/channels'].map(test),
      ...['operators/through-end', 'server/proxy-protocol', 'server/serve', 'transfer/send-file'].map(test),
      ...['streams/from-duplex', 'streams/net-socket', 'streams/to-node'].map(test),
      ...['socket/memory-budget', 'socket/turns', 'wire/resets'].map(test),
      'packages/tls/test/{closing,upgrade}/*.test.ts',
      'packages/tls/test/connecting/{events,via}.test.ts',
      options,
    ],
  },
  operators: {
    quick: [
      ...near('operators', 'flow'),
      ...['contexts/operators', 'reconnect/exchange', 'reconnect/framed'].map(test),
      ...['server/serve', 'socket/write-to', 'socket/wrong-arguments', 'wire/relay'].map(test),
    ],
    thorough: [...['flow/queue', 'engine/read-memory', 'socket/turns', 'socket/closed-subscribers'].map(test), options],
  },
  reader: {
    quick: near('reader'),
    thorough: [properties('reader')],
  },
};

/** They match, but start processes. No mutant runs them. */
export const slow = [test('flow/memory')];
