// The rows of the tools of @rxsock/core: lookups, processes and the testing kit.
import { connect, listen, netstringsCodec } from '@rxsock/core';
import { delimiterRichBytes, verifyCodec, verifyTransport } from '@rxsock/core/fast-check';
import { isPortFree, localAddresses, resolveHost, reverseLookup, servicePort } from '@rxsock/core/lookup';
import { handOver, inheritedListeners, singleInstance } from '@rxsock/core/process';
import { type FaultyProxy, faultyProxy, socketPair } from '@rxsock/core/testing';
import fc from 'fast-check';
import { NEVER } from 'rxjs';
import * as kind from './kinds.js';
import { type Options, type Row, row, socketOptions } from './rows.js';

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

const slice: kind.Kind = { good: [1, 65_536, [1], [1, 2]], bad: [...kind.finiteSize.bad, [0], [1, -1], [1.5], ['1']] };
const faults: Options = { slice, cut: kind.count, reset: kind.count };

const close = (proxy: FaultyProxy) => proxy.close();
const testing: Row[] = [
  row('testing socketPair', { ...socketOptions, latency: kind.delay, bandwidth: kind.rate, ...faults }, (options) =>
    socketPair(options),
  ),
  row(
    'testing faultyProxy',
    {
      target: kind.required(kind.object({ port: 1 })),
      direction: kind.choice('toTarget', 'fromTarget', 'both'),
      delay: kind.delay,
      throttle: kind.rate,
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
];

const arbitrary = kind.instance(fc.uint8Array().map((bytes) => Buffer.from(bytes)));
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
    // A server that never listens.
    (options) => verifyTransport({ connect: () => connect({ port: 1 }), listen: () => NEVER as never }, options),
  ),
];

export const toolRows: Row[] = [...lookup, ...processes, ...testing, ...fastCheck];
