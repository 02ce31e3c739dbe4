// The rows of the tools: lookups, processes, the entry point for fast-check, and the inspector.
import { connect, listen, netstringsCodec } from '@rxsock/core';
import { capture } from '@rxsock/core/capture';
import { delimiterRichBytes, verifyCodec, verifyTransport } from '@rxsock/core/fast-check';
import { isPortFree, localAddresses, resolveHost, reverseLookup, servicePort } from '@rxsock/core/lookup';
import { handOver, inheritedListeners, singleInstance } from '@rxsock/core/process';
import { inspect } from '@rxsock/inspector';
import fc from 'fast-check';
import { NEVER } from 'rxjs';
import * as kind from './kinds.js';
import { type Options, type Row, row } from './rows.js';

const lookupOptions: Options = { timeout: kind.timeout, signal: kind.signal, scheduler: kind.scheduler };

const lookup: Row[] = [
  row('lookup resolveHost', { ...lookupOptions, family: kind.family }, (options) => resolveHost('127.0.0.1', options)),
  row('lookup reverseLookup', lookupOptions, (options) => reverseLookup('127.0.0.1', options)),
  row('lookup localAddresses', { family: kind.family, internal: kind.flag }, (options) => localAddresses(options)),
  row('lookup isPortFree', { host: kind.host }, (options) => isPortFree(1, options)),
  row('lookup servicePort', { protocol: kind.choice('tcp', 'udp'), file: kind.text }, (options) =>
    servicePort('smtp', options),
  ),
];

const environment = kind.object({}, { PATH: '' });
const args: kind.Kind = { good: [[], [''], ['a']], bad: ['', 'a', null, 0, true, {}, [1], [null]] };
const instanceOptions: Options = {
  name: kind.required(kind.text),
  args,
  timeout: kind.timeout,
  scheduler: kind.scheduler,
};

const processes: Row[] = [
  row(
    'process handOver',
    { readyTimeout: kind.timeout, drain: kind.timeout, env: environment, cwd: kind.text, scheduler: kind.scheduler },
    // A server that does not listen has no descriptor to hand over, so that no process is started.
    (options) => handOver(listen(), process.execPath, [], options),
  ),
  row('process inheritedListeners', { names: kind.names, env: environment }, (options) => inheritedListeners(options), {
    base: { env: {} },
  }),
  row(
    'process singleInstance',
    { ...instanceOptions, port: kind.required(kind.peerPort) },
    (options) => singleInstance(options),
    {
      base: { name: 'a', port: 1 },
    },
  ),
  row(
    'process singleInstance: other transports',
    { ...instanceOptions, listen: kind.required(kind.callback), connect: kind.required(kind.callback) },
    (options) => singleInstance(options),
    { base: { name: 'a', listen: () => NEVER, connect: () => {} } },
  ),
];

const arbitrary = kind.instance(fc.uint8Array().map((bytes) => Buffer.from(bytes)));
/** Every story fails at once. */
const noServer = () => {
  throw new Error('there is no server');
};

const fastCheck: Row[] = [
  row('fast-check delimiterRichBytes', { maxPieces: kind.finiteSize }, (options) => delimiterRichBytes('\n', options)),
  row(
    'fast-check verifyCodec',
    {
      values: kind.required(arbitrary),
      equals: { ...kind.callback, good: [(a: Buffer, b: Buffer) => a.equals(b)] },
      inputs: arbitrary,
      limit: { ...kind.size, good: [2 ** 30, Number.POSITIVE_INFINITY] },
      numRuns: { ...kind.finiteSize, good: [1, 2] },
      seed: kind.integer,
      path: { ...kind.text, good: ['0'] },
    },
    (options) => verifyCodec(netstringsCodec(), options),
    { base: { values: arbitrary.good[0], numRuns: 1 } },
  ),
  row(
    'fast-check verifyTransport',
    { numRuns: kind.finiteSize, seed: kind.integer, path: { ...kind.text, good: ['0'] } },
    (options) => verifyTransport({ connect: () => connect({ port: 1 }), listen: noServer }, options),
  ),
];

const captures: Row[] = [
  row(
    'capture capture',
    {
      maxBytes: kind.also(kind.range(131_072, Number.MAX_SAFE_INTEGER), { good: [Number.POSITIVE_INFINITY] }),
      rotate: kind.range(1, 1000),
      overflow: kind.choice('drop', 'hold'),
    },
    (options) => capture('all', '/dev/null', options),
    { end: (trace) => trace.close() },
  ),
];

const inspector: Row[] = [
  row(
    'inspector inspect',
    {
      // A free port: other programs may use the other good ones.
      port: { ...kind.port, good: [0] },
      host: { ...kind.host, good: ['127.0.0.1', 'localhost'] },
      token: {
        good: ['a'.repeat(16), '-_'.repeat(128)],
        bad: [...kind.text.bad, 'short', '/'.repeat(16), 'a'.repeat(257)],
      },
    },
    (options) => inspect(options),
    { end: (page) => page.close() },
  ),
];

export const toolRows: Row[] = [...captures, ...lookup, ...processes, ...fastCheck, ...inspector];
