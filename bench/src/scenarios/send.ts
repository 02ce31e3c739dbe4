// Chunks that are written as fast as the socket takes them.
import { once } from 'node:events';
import { on } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { connectRaw, type TransportName } from '../raw.js';
import { BYTES, expectAll, MIB, type Scenario } from '../scenario.js';
import { connectOver } from '../transports.js';

const CHUNK = 64 * 1024;

const sendOver = (transport: TransportName): Scenario => ({
  name: `send-${transport}`,
  about: `writes chunks of 64 KiB over ${transport.toUpperCase()}`,
  amount: 1024 * MIB,
  step: CHUNK,
  ...BYTES,
  peer: (amount) => ({ role: 'sink', amount, transport }),
  goals: [{ contender: 'next()', atLeast: 0.97 }],
  contenders: {
    write: async ({ peer, amount }) => {
      const socket = connectRaw(transport, peer.address);
      const chunk = Buffer.alloc(CHUNK, 'a');
      for (let sent = 0; sent < amount; sent += CHUNK) if (!socket.write(chunk)) await once(socket, 'drain');
      socket.end();
      expectAll(await peer.count(), amount, 'bytes');
    },

    'next()': async ({ peer, amount }) => {
      const socket = connectOver(transport, peer.address);
      const chunk = Buffer.alloc(CHUNK, 'a');
      for (let sent = 0; sent < amount; sent += CHUNK) {
        if (!socket.next(chunk)) await firstValueFrom(socket.pipe(on('drain')));
      }
      socket.complete();
      expectAll(await peer.count(), amount, 'bytes');
    },
  },
});

export const sendTcp = sendOver('tcp');
export const sendUnix = sendOver('unix');
export const sendTls = sendOver('tls');
