// Bytes that are received and counted.
import net from 'node:net';
import { connect, connections, data, listen } from '@rxsock/core';
import { finalize, lastValueFrom, mergeMap, type Observable, reduce, take, tap } from 'rxjs';
import { BYTES, expectAll, type Scenario } from '../scenario.js';

const MIB = 1024 * 1024;

const count = (bytes: Observable<Uint8Array>) => bytes.pipe(reduce((total, chunk) => total + chunk.length, 0));

export const receive: Scenario = {
  name: 'receive',
  about: 'receives bytes as fast as they arrive, and counts them',
  amount: 1024 * MIB,
  ...BYTES,
  peer: (amount) => ({ role: 'blast', amount }),
  aims: { 'connect().pipe(data())': 0.95, 'listen(), data()': 0.95 },
  contenders: {
    "net.connect, 'data'": ({ peer, amount }) =>
      new Promise((resolve, reject) => {
        let received = 0;
        const socket = net.connect(peer.port, '127.0.0.1');
        socket.on('data', (bytes) => {
          received += bytes.length;
        });
        socket.on('error', reject);
        socket.on('close', () => {
          expectAll(received, amount, 'bytes');
          resolve();
        });
      }),

    'connect().pipe(data())': async ({ peer, amount }) => {
      const received = await lastValueFrom(count(connect({ host: '127.0.0.1', port: peer.port }).pipe(data())));
      expectAll(received, amount, 'bytes');
    },

    'listen(), data()': async ({ peer, amount }) => {
      const server = listen();
      const received = await lastValueFrom(
        server.pipe(
          tap((event) => {
            if (event.type === 'listening') peer.dial(event.address.port);
          }),
          connections(),
          take(1),
          mergeMap((socket) => count(socket.pipe(data()))),
          finalize(() => server.close()),
        ),
      );
      expectAll(received, amount, 'bytes');
    },
  },
};
