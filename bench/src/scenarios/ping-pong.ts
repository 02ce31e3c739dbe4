// Round trips with one request in flight: the cost of a small message.
import net from 'node:net';
import { connect, data } from '@rxsock/core';
import { lastValueFrom, scan } from 'rxjs';
import { expectAll, ROUND_TRIPS, type Scenario } from '../scenario.js';

const SIZE = 64;
const MESSAGE = Buffer.alloc(SIZE, '.');

export const pingPong: Scenario = {
  name: 'ping-pong',
  about: `sends ${SIZE} bytes and waits until they have come back, repeatedly`,
  amount: 100_000,
  ...ROUND_TRIPS,
  peer: (amount) => ({ role: 'echo', amount }),
  aims: { 'next() in data()': 0.95 },
  contenders: {
    'net, write': ({ peer, amount }) =>
      new Promise((resolve, reject) => {
        let received = 0;
        const socket = net.connect({ port: peer.port, host: '127.0.0.1', noDelay: true });
        socket.on('data', (bytes) => {
          received += bytes.length;
          if (received % SIZE !== 0) return;
          if (received < amount * SIZE) socket.write(MESSAGE);
          else socket.end();
        });
        socket.on('error', reject);
        socket.on('close', () => {
          expectAll(received, amount * SIZE, 'bytes');
          resolve();
        });
        socket.write(MESSAGE);
      }),

    'next() in data()': async ({ peer, amount }) => {
      const socket = connect({ host: '127.0.0.1', port: peer.port });
      socket.next(MESSAGE);
      const received = await lastValueFrom(
        socket.pipe(
          data(),
          scan((total, bytes) => {
            const now = total + bytes.length;
            if (now % SIZE === 0) {
              if (now < amount * SIZE) socket.next(MESSAGE);
              else socket.complete();
            }
            return now;
          }, 0),
        ),
      );
      expectAll(received, amount * SIZE, 'bytes');
    },
  },
};
