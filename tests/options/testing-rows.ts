// The rows of @rxsock/core/testing.
import {
  type FaultyPathProxy,
  type FaultyProxy,
  faultyProxy,
  recordingClient,
  recordingPeer,
  replay,
  socketPair,
} from '@rxsock/core/testing';
import * as kind from './kinds.js';
import { type Options, type Row, row, socketOptions } from './rows.js';

const faults: Options = {
  latency: kind.delay,
  jitter: kind.delay,
  bandwidth: kind.rate,
  slicer: kind.object({ averageSize: 1 }, { sizes: [1] }),
  slowClose: kind.delay,
  limitData: kind.count,
  timeout: kind.object({}, { bytes: 1, delay: 1 }),
  resetPeer: kind.object({}, { bytes: 1, delay: 1 }),
  seed: kind.integer,
};

const sizes: kind.Kind = { good: [[1], [1, 65_536]], bad: ['', 'a', null, 0, 1, true, {}, [], [0], [1.5], ['1']] };
const endless = kind.also(kind.delay, { good: [Number.POSITIVE_INFINITY] });

/** One of some words, or a seed. */
const seeded = (...words: string[]): kind.Kind => ({
  good: [...words, { seed: 1 }],
  bad: ['', 'unknown', null, 0, 1, Number.NaN, true, {}, [], { seed: 'a' }],
});

/** The faults that have options of their own. */
const nested: [fault: string, variant: string, options: Options, base: object][] = [
  ['slicer', '', { averageSize: kind.required(kind.finiteSize), delay: kind.delay }, { averageSize: 1 }],
  ['slicer', ': variation', { sizeVariation: kind.position }, { averageSize: 2 }],
  ['slicer', ': sizes', { sizes: kind.required(sizes) }, { sizes: [1] }],
  ['timeout', '', { bytes: kind.count, delay: endless }, {}],
  ['resetPeer', '', { bytes: kind.count, delay: kind.delay }, {}],
];

const close = (proxy: FaultyProxy | FaultyPathProxy) => proxy.close();

export const testingRows: Row[] = [
  row('testing socketPair', { ...socketOptions, ...faults }, (options) => socketPair(options)),
  row('testing socketPair: the second socket', socketOptions, (options) => socketPair({}, options)),
  ...nested.map(([fault, variant, options, base]) =>
    row(`testing socketPair ${fault}${variant}`, options, (given) => socketPair({ [fault]: given }), { base }),
  ),
  row(
    'testing faultyProxy',
    {
      target: kind.required(kind.object({ port: 1 }, { path: '/a' })),
      direction: kind.choice('toTarget', 'fromTarget', 'both'),
      ...faults,
    },
    (options) => faultyProxy(options),
    { base: { target: { port: 1 } }, end: close },
  ),
  row(
    'testing faultyProxy target',
    { host: kind.host, port: kind.required(kind.peerPort) },
    (target) => faultyProxy({ target }),
    { base: { port: 1 }, end: close },
  ),
  row(
    'testing faultyProxy target: a path',
    { path: kind.required(kind.text) },
    (target: { path: string }) => faultyProxy({ target }),
    { base: { path: '/a' }, end: close },
  ),
  ...nested.map(([fault, variant, options, base]) =>
    row(
      `testing faultyProxy ${fault}${variant}`,
      options,
      (given): Promise<FaultyProxy> => faultyProxy({ target: { port: 1 }, [fault]: given }),
      { base, end: close },
    ),
  ),
  row('testing recordingPeer', { transport: kind.choice('tcp', 'unix') }, (options) => recordingPeer(options), {
    end: (peer) => peer.close(),
  }),
  row(
    'testing recordingClient',
    { host: kind.host, port: kind.required(kind.peerPort) },
    (options) => recordingClient(options),
    { base: { port: 1 }, end: (client) => client.reset() },
  ),
  row('testing recordingClient: a path', { path: kind.required(kind.text) }, (options) => recordingClient(options), {
    base: { path: '/a' },
    end: (client) => client.reset(),
  }),
  row(
    'testing replay',
    {
      side: kind.required(kind.choice('client', 'server')),
      connection: kind.position,
      chunking: seeded('recorded'),
      timing: seeded('recorded', 'immediate'),
    },
    (options) => replay('/nowhere', options),
    { base: { side: 'client' } },
  ),
  ...['chunking', 'timing'].map((option) =>
    row(
      `testing replay ${option}`,
      { seed: kind.required(kind.integer) },
      (given) => replay('/nowhere', { side: 'client', [option]: given }),
      { base: { seed: 1 } },
    ),
  ),
];
