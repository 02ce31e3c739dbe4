// What a connection costs a server: to accept, answer and close it, and to keep it.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { data, serve } from '@rxsock/core';
import { listenRaw, type TransportName } from '../raw.js';
import type { Contender, Scenario } from '../scenario.js';
import { addressOf, ourServer, rawServer, resultOf } from '../serving.js';
import { listenOver } from '../transports.js';

const CONNECTIONS = {
  rate: { label: 'connections/s', amount: 1 },
  cost: { label: 'CPU-s/10,000', amount: 10_000 },
} as const;

const RAW = 'createServer';
const OURS = 'serve(s => s.pipe(data()))';

type OnConnection = Parameters<typeof listenRaw>[1];

const echoRaw: OnConnection = (socket) => {
  socket.on('data', (bytes) => socket.write(bytes));
  socket.on('end', () => socket.end());
  socket.on('error', () => {});
};

const cycleOver = (transport: TransportName, name: string, amount: number): Scenario => ({
  name,
  about: `accepts, echoes 5 bytes and closes, 16 at a time, over ${transport.toUpperCase()}`,
  amount,
  ...CONNECTIONS,
  peer: (count) => ({ role: 'cycle', amount: count, transport }),
  goals: [
    { contender: OURS, atLeast: 0.75 },
    { contender: OURS, of: 'cpu', atMost: 2 },
  ],
  contenders: {
    [RAW]: rawServer('connections', echoRaw, transport),
    [OURS]: ourServer('connections', (socket) => socket.pipe(data()), transport),
  },
});

export const connectionCycle = cycleOver('tcp', 'connections', 8_000);
export const connectionCycleUnix = cycleOver('unix', 'connections-unix', 8_000);
export const connectionCycleTls = cycleOver('tls', 'connections-tls', 2_000);

/** Measures how much resident memory `open` has made of each connection. */
async function memoryOfEach(amount: number, open: () => Promise<unknown>): Promise<{ each: number }> {
  const before = settledMemory();
  await open();
  return { each: (settledMemory() - before) / amount };
}

function settledMemory(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}

function collectGarbage(): void {
  const { Bun } = globalThis as { Bun?: { gc(wait: boolean): void } };
  if (Bun) return Bun.gc(true);
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

const idleRaw = (transport: TransportName): Contender => {
  return async ({ peer, amount }) => {
    const { server, address } = await listenRaw(transport, echoRaw);
    const result = await memoryOfEach(amount, () => {
      peer.dial(address);
      return resultOf(peer, amount, 'connections');
    });
    server.close();
    return result;
  };
};

const idleOurs = (transport: TransportName): Contender => {
  return async ({ peer, amount }) => {
    const server = await listenOver(transport);
    let subscription = { unsubscribe() {} };
    const result = await memoryOfEach(amount, () => {
      subscription = server.pipe(serve((socket) => socket.pipe(data()))).subscribe((event) => {
        if (event.type === 'listening') peer.dial(addressOf(event.address));
      });
      return resultOf(peer, amount, 'connections');
    });
    subscription.unsubscribe();
    return result;
  };
};

const idleOver = (transport: TransportName, name: string, amount: number, atMost: number): Scenario => ({
  name,
  about: `keeps open what has echoed 5 bytes once, over ${transport.toUpperCase()}: see KB each`,
  amount,
  ...CONNECTIONS,
  // The connections of a warm-up would leave memory that those which are measured use again.
  warmUp: 1 / 100,
  peer: (count) => ({ role: 'idle', amount: count, transport }),
  goals: [{ contender: OURS, of: 'each', atMost }],
  contenders: { [RAW]: idleRaw(transport), [OURS]: idleOurs(transport) },
});

export const idleConnections = idleOver('tcp', 'idle', 10_000, 1.3);
export const idleConnectionsUnix = idleOver('unix', 'idle-unix', 10_000, 1.3);
export const idleConnectionsTls = idleOver('tls', 'idle-tls', 4_000, 1.1);
