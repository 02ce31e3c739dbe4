// Datagrams that are answered.
import dgram from 'node:dgram';
import { once } from 'node:events';
import { on } from '@rxsock/core';
import { bind } from '@rxsock/udp';
import { expectAll, type Scenario } from '../scenario.js';

const SIZE = 512;

export const udp: Scenario = {
  name: 'udp',
  about: `sends datagrams of ${SIZE} bytes back, 32 in flight`,
  amount: 150_000,
  rate: { label: 'datagrams/s', amount: 1 },
  cost: { label: 'CPU-s/million', amount: 1e6 },
  peer: (amount) => ({ role: 'datagrams', amount, size: SIZE }),
  goals: [{ contender: 'bind()', atLeast: 0.95 }],
  contenders: {
    'dgram, send': async ({ peer, amount }) => {
      const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
      socket.on('message', (message, { port, address }) => socket.send(message, port, address));
      await once(socket, 'listening');
      peer.dial(socket.address().port);
      expectAll(await peer.count(), amount, 'datagrams');
      socket.close();
    },

    'bind()': async ({ peer, amount }) => {
      const socket = bind();
      socket.pipe(on('message')).subscribe(socket);
      socket.subscribe((event) => {
        if (event.type === 'listening') peer.dial(event.address.port);
      });
      expectAll(await peer.count(), amount, 'datagrams');
      await socket.close();
    },
  },
};
