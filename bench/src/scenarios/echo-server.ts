// The server side of ping-pong: answers requests, with one in flight.
import { once } from 'node:events';
import net from 'node:net';
import { data, listen, serve } from '@rxsock/core';
import { expectAll, ROUND_TRIPS, type Scenario } from '../scenario.js';

export const echoServer: Scenario = {
  name: 'echo-server',
  about: 'answers requests of 64 bytes, one in flight',
  amount: 100_000,
  ...ROUND_TRIPS,
  peer: (amount) => ({ role: 'ping', amount, size: 64 }),
  aims: { 'serve(s => s.pipe(data()))': 0.95 },
  contenders: {
    'net.createServer': async ({ peer, amount }) => {
      const server = net.createServer({ noDelay: true }, (socket) => {
        socket.on('data', (bytes) => socket.write(bytes));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      peer.dial((server.address() as net.AddressInfo).port);
      expectAll(await peer.count(), amount, 'round trips');
      server.close();
    },

    'serve(s => s.pipe(data()))': async ({ peer, amount }) => {
      const server = listen();
      server.pipe(serve((socket) => socket.pipe(data()))).subscribe((event) => {
        if (event.type === 'listening') peer.dial(event.address.port);
        if (event.type === 'connectionError') throw event.error;
      });
      expectAll(await peer.count(), amount, 'round trips');
      await server.close();
    },
  },
};
