// A file that a server sends to a peer, which reads as fast as it can.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { connections, listen, sendFile } from '@rxsock/core';
import { finalize, lastValueFrom, mergeMap, take, tap } from 'rxjs';
import { BYTES, type Contender, expectAll, MIB, type Scenario } from '../scenario.js';

export const sendFiles: Scenario = {
  name: 'send-file',
  about: 'sends a file from the page cache',
  amount: 1024 * MIB,
  ...BYTES,
  peer: (amount) => ({ role: 'sink', amount }),
  fixture: async (amount) => {
    const folder = await mkdtemp(join(os.tmpdir(), 'rxsock-bench-'));
    const path = join(folder, 'file');
    const file = await open(path, 'w');
    const block = randomBytes(MIB);
    for (let written = 0; written < amount; written += MIB) await file.write(block, 0, Math.min(MIB, amount - written));
    await file.close();
    return { path, remove: () => rm(folder, { recursive: true }) };
  },
  goals: [
    { contender: 'sendFile()', atLeast: 2.5 },
    { contender: 'sendFile()', atLeast: 1, to: '… with highWaterMark 1 MiB' },
    { contender: 'sendFile()', of: 'rss', atMost: 1, to: '… with highWaterMark 1 MiB' },
  ],
  contenders: {
    'pipeline(createReadStream, socket)': piped(undefined),
    '… with highWaterMark 1 MiB': piped(MIB),

    'sendFile()': async ({ peer, amount, path }) => {
      const server = listen();
      await lastValueFrom(
        server.pipe(
          tap((event) => {
            if (event.type === 'listening') peer.dial(event.address.port);
          }),
          connections(),
          take(1),
          mergeMap((socket) => sendFile(socket, path, { to: amount })),
          finalize(() => server.close()),
        ),
      );
      expectAll(await peer.count(), amount, 'bytes');
    },
  },
};

function piped(highWaterMark: number | undefined): Contender {
  return async ({ peer, amount, path }) => {
    const server = net.createServer((socket) => {
      const file = createReadStream(path, { end: amount - 1, ...(highWaterMark && { highWaterMark }) });
      pipeline(file, socket).catch((error) => socket.destroy(error));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    peer.dial((server.address() as net.AddressInfo).port);
    expectAll(await peer.count(), amount, 'bytes');
    server.close();
  };
}
