// Bytes that are received and counted.
import type net from 'node:net';
import { connections, data, fixedLength, type Socket } from '@rxsock/core';
import { finalize, lastValueFrom, mergeMap, type Observable, reduce, take, tap } from 'rxjs';
import { connectRaw, listenRaw, type TransportName } from '../raw.js';
import { BYTES, type Contender, expectAll, type Goal, MIB, type Scenario } from '../scenario.js';
import { addressOf } from '../serving.js';
import { connectOver, listenOver } from '../transports.js';

const FRAME = 64 * 1024;

const count = (bytes: Observable<Uint8Array>) => bytes.pipe(reduce((total, chunk) => total + chunk.length, 0));

const countRaw = (socket: net.Socket, amount: number) =>
  new Promise<void>((resolve, reject) => {
    let received = 0;
    socket.on('data', (bytes) => {
      received += bytes.length;
    });
    socket.on('error', reject);
    socket.on('end', () => (received === amount ? resolve() : reject(new Error(`${received} bytes of ${amount}`))));
  });

const dialled = (transport: TransportName, read: (socket: Socket) => Observable<Uint8Array>): Contender => {
  return async ({ peer, amount }) => {
    const received = await lastValueFrom(count(read(connectOver(transport, peer.address))));
    expectAll(received, amount, 'bytes');
  };
};

const contendersOf = (transport: TransportName): Record<string, Contender> => ({
  "connected, 'data'": ({ peer, amount }) => countRaw(connectRaw(transport, peer.address), amount),

  'connect(), data()': dialled(transport, (socket) => socket.pipe(data())),

  'connect(), data(), fixedLength()': dialled(transport, (socket) => socket.pipe(data(), fixedLength(FRAME))),

  "accepted, 'data'": async ({ peer, amount }) => {
    await new Promise<void>((resolve, reject) => {
      const accept = (socket: net.Socket) => {
        // Only one peer dials.
        listening.then(({ server }) => server.close());
        countRaw(socket, amount).then(resolve, reject);
      };
      const listening = listenRaw(transport, accept);
      listening.then(({ address }) => peer.dial(address), reject);
    });
  },

  'listen(), data()': async ({ peer, amount }) => {
    const server = await listenOver(transport);
    const received = await lastValueFrom(
      server.pipe(
        tap((event) => {
          if (event.type === 'listening') peer.dial(addressOf(event.address));
        }),
        connections(),
        take(1),
        mergeMap((socket) => count(socket.pipe(data()))),
        finalize(() => server.close()),
      ),
    );
    expectAll(received, amount, 'bytes');
  },
});

const receiveOver = (transport: TransportName, name: string, goals: readonly Goal[]): Scenario => ({
  name,
  about: `receives bytes as fast as they arrive, over ${transport.toUpperCase()}, and counts them`,
  amount: 1024 * MIB,
  step: FRAME,
  ...BYTES,
  peer: (amount) => ({ role: 'blast', amount, transport }),
  goals,
  contenders: contendersOf(transport),
});

export const receive = receiveOver('tcp', 'receive', [
  { contender: 'connect(), data(), fixedLength()', atLeast: 1.5 },
  { contender: 'connect(), data(), fixedLength()', of: 'cpu', atMost: 0.6 },
  { contender: 'listen(), data()', atLeast: 1.2, to: "accepted, 'data'" },
]);

const same: readonly Goal[] = [
  { contender: 'connect(), data()', atLeast: 0.97 },
  { contender: 'listen(), data()', atLeast: 0.97, to: "accepted, 'data'" },
];

export const receiveUnix = receiveOver('unix', 'receive-unix', same);
export const receiveTls = receiveOver('tls', 'receive-tls', same);
