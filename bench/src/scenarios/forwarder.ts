// Bytes that are passed on, from a connection to another one.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { connect, listen, relay, serve } from '@rxsock/core';
import { lastValueFrom } from 'rxjs';
import { childrenOf, cpuOf, findProgram, freePort, peakMemoryOf, stop } from '../programs.js';
import { listenRaw } from '../raw.js';
import { BYTES, type Contender, expectAll, MIB, type Scenario } from '../scenario.js';

const host = '127.0.0.1';

/** As people write it: both directions are piped. */
function pipeBoth(a: net.Socket, b: net.Socket): void {
  a.pipe(b).pipe(a);
}

export const forwarder: Scenario = {
  name: 'forwarder',
  about: 'passes what a client sends on to a server, as the process between them',
  amount: 1024 * MIB,
  ...BYTES,
  peer: (amount) => ({ role: 'blast', amount }),
  second: (amount) => ({ role: 'sink', amount }),
  needs: { haproxy: 'haproxy', socat: 'socat' },
  goals: [
    { contender: 'relay()', atLeast: 1.4 },
    { contender: 'relay()', atLeast: 0.7, to: 'haproxy' },
    { contender: 'relay()', atLeast: 0.7, to: 'socat' },
  ],
  contenders: {
    'net, pipe both ways': async ({ peer, second, amount }) => {
      const onConnection = (client: net.Socket) =>
        pipeBoth(client, net.connect({ port: second.port, host, allowHalfOpen: true }));
      const { server, address } = await listenRaw('tcp', onConnection, { allowHalfOpen: true });
      peer.dial(address);
      expectAll(await second.count(), amount, 'bytes');
      server.close();
    },

    'relay()': async ({ peer, second, amount }) => {
      const server = listen();
      server.pipe(serve((client) => relay(client, connect({ host, port: second.port })))).subscribe((event) => {
        if (event.type === 'listening') peer.dial(event.address.port);
        if (event.type === 'connectionError') throw event.error;
      });
      expectAll(await second.count(), amount, 'bytes');
      await server.close();
    },

    haproxy: program(startHaproxy),
    socat: program(startSocat),
  },
};

export const relayed: Scenario = {
  name: 'relay',
  about: 'connects to a sender and to a receiver, and passes on what the one sends to the other',
  amount: 1024 * MIB,
  ...BYTES,
  peer: (amount) => ({ role: 'blast', amount }),
  second: (amount) => ({ role: 'sink', amount }),
  goals: [{ contender: 'relay()', atLeast: 1.4 }],
  contenders: {
    'net, pipe both ways': async ({ peer, second, amount }) => {
      const [from, to] = [peer, second].map(({ port }) => net.connect({ port, host, allowHalfOpen: true }));
      pipeBoth(from as net.Socket, to as net.Socket);
      expectAll(await second.count(), amount, 'bytes');
    },

    'relay()': async ({ peer, second, amount }) => {
      const [from, to] = [connect({ host, port: peer.port }), connect({ host, port: second.port })];
      await lastValueFrom(relay(from, to), { defaultValue: undefined });
      expectAll(await second.count(), amount, 'bytes');
    },
  },
};

/** A running program that forwards. */
interface Forwarder {
  readonly child: ChildProcess;
  readonly port: number;
}

function program(start: (target: number, folder: string) => Promise<Forwarder>): Contender {
  return async ({ peer, second, amount }) => {
    const folder = await mkdtemp(join(os.tmpdir(), 'rxsock-bench-'));
    const { child, port } = await start(second.port, folder);
    const { pid } = child;
    const before = cpuOf(pid);
    const began = performance.now();
    peer.dial(port);
    expectAll(await second.count(), amount, 'bytes');
    const seconds = (performance.now() - began) / 1000;
    // The child of socat has done the work. Its costs are known when it has ended.
    while (childrenOf(pid).length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const cpu = cpuOf(pid) - before;
    const rss = peakMemoryOf(pid);
    await stop(child);
    await rm(folder, { recursive: true });
    return { seconds, cpu, rss };
  };
}

/** It prints nothing when it listens: a second port, behind which nothing is, tells. */
async function startHaproxy(target: number, folder: string): Promise<Forwarder> {
  const [port, probe] = [await freePort(), await freePort()];
  const limits = ['timeout connect 5s', 'timeout client 1m', 'timeout server 1m'];
  const front = ['listen front', `bind ${host}:${port}`, `server back ${host}:${target}`];
  const lines = ['defaults', 'mode tcp', ...limits, ...front, 'listen probe', `bind ${host}:${probe}`];
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn(findProgram('haproxy') as string, ['-db', '-q', '-f', file], { stdio: 'ignore' });
  while (!(await accepts(probe))) {
    if (child.exitCode !== null) throw new Error(`haproxy ended with code ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { child, port };
}

async function startSocat(target: number): Promise<Forwarder> {
  const args = ['-d', '-d', `TCP-LISTEN:0,bind=${host},fork`, `TCP:${host}:${target}`];
  const child = spawn(findProgram('socat') as string, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  for await (const bytes of child.stderr) {
    text += bytes;
    const [, port] = /listening on AF=2 127\.0\.0\.1:(\d+)/.exec(text) ?? [];
    if (port !== undefined) return { child, port: Number(port) };
  }
  throw new Error(`socat does not listen:\n${text}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
