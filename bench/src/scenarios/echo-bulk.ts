// Bytes that are received and sent back: both directions at once, with backpressure from one to the other.
import { once } from 'node:events';
import net from 'node:net';
import { data, listen, serve } from '@rxsock/core';
import { BYTES, expectAll, type Scenario } from '../scenario.js';

const MIB = 1024 * 1024;

export const echoBulk: Scenario = {
  name: 'echo-bulk',
  about: 'sends bytes back as fast as they arrive',
  amount: 512 * MIB,
  ...BYTES,
  peer: (amount) => ({ role: 'blast', amount, countReceived: true }),
  aims: { 'serve(s => s.pipe(data()))': 0.95 },
  contenders: {
    'net, socket.pipe(socket)': async ({ peer, amount }) => {
      const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      peer.dial((server.address() as net.AddressInfo).port);
      expectAll(await peer.count(), amount, 'bytes');
      server.close();
    },

    'serve(s => s.pipe(data()))': async ({ peer, amount }) => {
      const server = listen();
      server.pipe(serve((socket) => socket.pipe(data()))).subscribe((event) => {
        if (event.type === 'listening') peer.dial(event.address.port);
        if (event.type === 'connectionError') throw event.error;
      });
      expectAll(await peer.count(), amount, 'bytes');
      await server.close();
    },
  },
};
