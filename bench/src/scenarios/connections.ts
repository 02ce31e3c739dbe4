// What a connection costs a server: to accept, answer and close it, and to keep it.
import { once } from 'node:events';
import net from 'node:net';
import { data, listen, serve } from '@rxsock/core';
import type { PeerOptions } from '../peer.js';
import { type Contender, expectAll, type Scenario } from '../scenario.js';

const CONNECTIONS = {
  rate: { label: 'connections/s', amount: 1 },
  cost: { label: 'CPU-s/10,000', amount: 10_000 },
} as const;

const contenders: Record<string, Contender> = {
  'net.createServer': async ({ peer, amount }) => {
    const server = net.createServer({ noDelay: true }, (socket) => {
      socket.on('data', (bytes) => socket.write(bytes));
      socket.on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    peer.dial((server.address() as net.AddressInfo).port);
    expectAll(await peer.count(), amount, 'connections');
    server.close();
  },

  'serve(s => s.pipe(data()))': async ({ peer, amount }) => {
    const server = listen();
    const served = server.pipe(serve((socket) => socket.pipe(data()))).subscribe((event) => {
      if (event.type === 'listening') peer.dial(event.address.port);
    });
    expectAll(await peer.count(), amount, 'connections');
    served.unsubscribe();
  },
};

const scenario = (role: PeerOptions['role'], name: string, about: string, aim: number): Scenario => ({
  name,
  about,
  amount: 8_000,
  ...CONNECTIONS,
  peer: (amount) => ({ role, amount }),
  aims: { 'serve(s => s.pipe(data()))': aim },
  contenders,
});

export const connectionCycle = scenario(
  'cycle',
  'connections',
  'accepts, echoes 5 bytes and closes, 16 at a time',
  0.75,
);

export const idleConnections = scenario('idle', 'idle', 'keeps open what has echoed once: see max RSS', 0.75);
