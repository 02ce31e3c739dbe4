// Round trips with one request in flight on each connection: the cost of a small message.
import { once } from 'node:events';
import net from 'node:net';
import { connect, data } from '@rxsock/core';
import { lastValueFrom, tap } from 'rxjs';
import type { Peer } from '../peer.js';
import { type Contender, expectAll, ROUND_TRIPS, type Scenario } from '../scenario.js';
import { Times } from '../times.js';

const SIZE = 64;
const MESSAGE = Buffer.alloc(SIZE, '.');

/** Opens one connection, makes a round trip, and another one as long as `next` returns `true`. */
type Client = (peer: Peer, next: () => boolean) => Promise<unknown>;

const withNet: Client = (peer, next) => {
  let missing = SIZE;
  const socket = net.connect({ port: peer.port, host: '127.0.0.1', noDelay: true });
  socket.on('data', (bytes) => {
    missing -= bytes.length;
    if (missing > 0) return;
    missing = SIZE;
    if (next()) socket.write(MESSAGE);
    else socket.end();
  });
  socket.write(MESSAGE);
  return once(socket, 'close');
};

const ours: Client = (peer, next) => {
  let missing = SIZE;
  const socket = connect({ host: '127.0.0.1', port: peer.port });
  socket.next(MESSAGE);
  const received = tap((bytes: Uint8Array) => {
    missing -= bytes.length;
    if (missing > 0) return;
    missing = SIZE;
    if (next()) socket.next(MESSAGE);
    else socket.complete();
  });
  return lastValueFrom(socket.pipe(data(), received));
};

const withEffect: Client = async (peer, next) => {
  const effect = await import('../effect.js');
  await effect.pingPong(peer, MESSAGE, next);
};

const onConnections = (connections: number, client: Client): Contender => {
  return async ({ peer, amount }) => {
    const times = new Times();
    let done = 0;
    const each = (index: number) => {
      // The first ones make one more if the amount is no multiple of the connections.
      let left = Math.floor((amount + index) / connections);
      if (left === 0) return;
      let start = performance.now();
      return client(peer, () => {
        const now = performance.now();
        times.add(now - start);
        start = now;
        done++;
        return --left > 0;
      });
    };
    await Promise.all(Array.from({ length: connections }, (_, index) => each(index)));
    expectAll(done, amount, 'round trips');
    return { p99: times.p99 };
  };
};

const pingPongOn = (name: string, connections: number, amount: number): Scenario => ({
  name,
  about: `sends ${SIZE} bytes and waits until they have come back, repeatedly, on ${connections} connections`,
  amount,
  ...ROUND_TRIPS,
  peer: (trips) => ({ role: 'echo', amount: trips }),
  goals: [
    { contender: 'next() in data()', atLeast: 0.97 },
    { contender: 'next() in data()', of: 'cpu', atMost: 1.1 },
    { contender: 'next() in data()', of: 'p99', atMost: 1.1 },
  ],
  contenders: {
    'net, write': onConnections(connections, withNet),
    Effect: onConnections(connections, withEffect),
    'next() in data()': onConnections(connections, ours),
  },
});

export const pingPong = pingPongOn('ping-pong', 1, 100_000);
export const pingPong64 = pingPongOn('ping-pong-64', 64, 150_000);
export const pingPong1000 = pingPongOn('ping-pong-1000', 1_000, 150_000);
