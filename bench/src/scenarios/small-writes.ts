// Many small writes, as fast as the socket takes them.
import { once } from 'node:events';
import net from 'node:net';
import { connect, on, type Socket } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { expectAll, type Scenario } from '../scenario.js';

/** How many writes of the corked contender leave together. */
const CORKED = 1000;

const smallWrites = (name: string, size: number): Scenario => ({
  name,
  about: `writes ${size} bytes at a time`,
  amount: 1_000_000,
  rate: { label: '1,000 writes/s', amount: 1000 },
  cost: { label: 'CPU-s/M writes', amount: 1e6 },
  peer: (amount) => ({ role: 'sink', amount }),
  goals: [
    { contender: 'next()', atLeast: 3 },
    { contender: 'await write()', atLeast: 1, to: 'net, await write' },
  ],
  contenders: {
    'net, write': raw(size, async (socket, chunk, amount) => {
      for (let n = 0; n < amount; n++) if (!socket.write(chunk)) await once(socket, 'drain');
    }),

    'net, cork, write, uncork': raw(size, async (socket, chunk, amount) => {
      for (let n = 0; n < amount; ) {
        socket.cork();
        for (const end = Math.min(amount, n + CORKED); n < end; n++) socket.write(chunk);
        socket.uncork();
        if (socket.writableNeedDrain) await once(socket, 'drain');
      }
    }),

    'net, await write': raw(size, async (socket, chunk, amount) => {
      for (let n = 0; n < amount; n++) await new Promise((resolve) => socket.write(chunk, resolve));
    }),

    'next()': lasting(size, async (socket, chunk, amount) => {
      for (let n = 0; n < amount; n++) if (!socket.next(chunk)) await firstValueFrom(socket.pipe(on('drain')));
    }),

    'await write()': lasting(size, async (socket, chunk, amount) => {
      for (let n = 0; n < amount; n++) await socket.write(chunk);
    }),
  },
});

function raw(
  size: number,
  writeAll: (socket: net.Socket, chunk: Buffer, amount: number) => Promise<void>,
): Scenario['contenders'][string] {
  return async ({ peer, amount }) => {
    const socket = net.connect({ port: peer.port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    await writeAll(socket, Buffer.alloc(size, 'a'), amount);
    socket.end();
    expectAll(await peer.count(), amount * size, 'bytes');
  };
}

function lasting(
  size: number,
  writeAll: (socket: Socket, chunk: Buffer, amount: number) => Promise<void>,
): Scenario['contenders'][string] {
  return async ({ peer, amount }) => {
    const socket = connect({ port: peer.port, host: '127.0.0.1', noDelay: true, keepOpen: true });
    await socket.write('');
    await writeAll(socket, Buffer.alloc(size, 'a'), amount);
    socket.complete();
    expectAll(await peer.count(), amount * size, 'bytes');
  };
}

export const writesOf16 = smallWrites('writes-16', 16);
export const writesOf100 = smallWrites('writes-100', 100);
export const writesOf1k = smallWrites('writes-1k', 1024);
