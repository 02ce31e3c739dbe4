// What observing costs: the same work in one process, unobserved and observed in turns. `npm run observing` prints the
// CPU time of each way as a ratio to the first one. With the paths of builds of @rxsock/core, it compares these instead,
// unobserved.
//
// A connection is accepted, echoes 64 bytes and ends. A chunk is one of 64 KiB for a consumer that holds and releases.
import { mkdtempSync, rmSync } from 'node:fs';
import type net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import type * as core from '@rxsock/core';
import { capture } from '@rxsock/core/capture';
import { channel } from '@rxsock/core/diagnostics';
import { tapBytes } from '@rxsock/core/internal';
import { instrument } from '@rxsock/core/metrics';
import { inspect } from '@rxsock/inspector';
import { EMPTY, firstValueFrom, lastValueFrom, timer } from 'rxjs';

type Core = typeof core;

const ROUNDS = 15;
const CONNECTIONS = 300;
const CHUNKS = 300;
const NAMES = ['dial', 'open', 'hold', 'release', 'error', 'close'] as const;

/** Starts to observe. Returns what stops it. */
type Observing = () => (() => unknown) | Promise<() => unknown>;

const nothing: Observing = () => () => {};

const channels: Observing = () => {
  const subscriptions = NAMES.map((name) => channel(`rxsock:socket:${name}`).subscribe(() => {}));
  const servers = channel('rxsock:server:connection').subscribe(() => {});
  return () => {
    for (const subscription of [...subscriptions, servers]) subscription.unsubscribe();
  };
};

const ignore = () => {};
const tap: Observing = () =>
  tapBytes({
    received: ignore,
    receivedEnd: ignore,
    sent: ignore,
    sentEnd: ignore,
    datagramReceived: ignore,
    datagramSent: ignore,
  });

class Reader extends MetricReader {
  protected async onForceFlush(): Promise<void> {}
  protected async onShutdown(): Promise<void> {}
}

const metrics: Observing = () => {
  const reader = new Reader();
  const provider = new MeterProvider({ readers: [reader] });
  const stop = instrument(provider.getMeter('bench'));
  const collect = setInterval(() => void reader.collect(), 1000);
  return () => {
    clearInterval(collect);
    stop();
  };
};

/** Without a page: what the page costs is at the end. */
const inspector: Observing = async () => {
  const { close } = await inspect();
  return close;
};

/** Every byte of all sockets, into a file. */
const capturing: Observing = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rxsock-observing-'));
  const trace = await capture('all', join(folder, 'trace.pcapng'));
  return async () => {
    await trace.close();
    rmSync(folder, { recursive: true });
  };
};

/** Returns the CPU time of this process for some work, in milliseconds. */
async function costOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

async function connections({ connect, listen, serve, data, on }: Core): Promise<void> {
  const server = listen();
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  let left = CONNECTIONS;
  const client = async () => {
    while (left-- > 0) {
      const socket = connect({ host: '127.0.0.1', port: (address as net.AddressInfo).port });
      socket.next(Buffer.alloc(64));
      socket.complete();
      await lastValueFrom(socket);
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  await server.close();
}

async function chunks({ connect, listen, serve, data, on, mapWithBackpressure }: Core): Promise<void> {
  const server = listen();
  const chunk = Buffer.alloc(64 * 1024);
  server.pipe(serve(() => Array.from({ length: CHUNKS }, () => chunk))).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const socket = connect({ host: '127.0.0.1', port: (address as net.AddressInfo).port });
  const slow = mapWithBackpressure(() => (Math.random() < 0.5 ? timer(0) : EMPTY), { highWaterMark: 1 });
  await lastValueFrom(socket.pipe(data(), slow), { defaultValue: undefined });
  await server.close({ drain: 0 });
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] as number;

type Way = readonly [name: string, build: Core, observe: Observing];

async function waysOf(paths: readonly string[]): Promise<readonly Way[]> {
  if (paths.length > 0)
    return Promise.all(paths.map(async (path) => [path, (await import(resolve(path))) as Core, nothing] as const));
  const build: Core = await import('@rxsock/core');
  return [
    ['nothing on', build, nothing],
    ['nothing on, again', build, nothing],
    ['channels on', build, channels],
    ['a byte tap on', build, tap],
    ['metrics on', build, metrics],
    ['the inspector on', build, inspector],
    ['a capture on', build, capturing],
  ];
}

const ways = await waysOf(process.argv.slice(2));
for (const [title, work] of [
  ['connections', connections],
  ['chunks', chunks],
] as const) {
  const costs = ways.map((): number[] => []);
  for (let round = -2; round < ROUNDS; round++) {
    // Another order each time: whoever comes after a collection of garbage has it easier.
    for (let step = 0; step < ways.length; step++) {
      const index = (step + round + ways.length) % ways.length;
      const [, build, observe] = ways[index] as Way;
      const stop = await observe();
      const cost = await costOf(() => work(build));
      await stop();
      if (round >= 0) costs[index]?.push(cost);
    }
  }
  for (const [index, [name]] of ways.entries()) {
    const ratios = (costs[index] as number[]).map((cost, round) => cost / (costs[0]?.[round] as number));
    const each = (median(costs[index] as number[]) / (work === connections ? CONNECTIONS : CHUNKS)) * 1000;
    console.log(`${title}: ${name}: ${median(ratios).toFixed(3)} (${each.toFixed(1)} µs each)`);
  }
}

if (process.argv.length === 2) await page(await import('@rxsock/core'));

/** What a page of the inspector costs with 2,000 sockets: it says so itself, once its code is warm. */
async function page({ connect, listen, serve, data, on }: Core): Promise<void> {
  const server = listen({ backlog: 1000 });
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const sockets = Array.from({ length: 1000 }, () => connect({ port: address.port, keepOpen: true }));
  await Promise.all(sockets.map((socket) => socket.write('hello')));
  const { url, close } = await inspect();
  const { body } = await fetch(`${url}events?order=readRate&descending`);
  let last = '';
  let count = 0;
  for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    last = text.startsWith('data: ') ? text : last + text;
    if (last.endsWith('\n\n') && ++count === 60) break;
  }
  const [, cost, pace] = /"cost":([\d.]+),"pace":([\d.]+)/.exec(last) ?? [];
  const share = ((100 * Number(cost)) / Number(pace)).toFixed(2);
  console.log(`page: ${2 * sockets.length} sockets: a look takes ${cost} ms every ${pace} ms, ${share} % of the time`);
  await close();
  await Promise.all(sockets.map((socket) => socket.close({ timeout: 0 })));
  await server.close({ drain: 0 });
}
