// A file that a server sends to a peer, which reads as fast as it can.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { connections, listen, sendFile } from '@rxsock/core';
import { finalize, lastValueFrom, mergeMap, take, tap } from 'rxjs';
import { cpuOf, peakMemoryOf, stop } from '../programs.js';
import { BYTES, type Contender, expectAll, MIB, type Scenario } from '../scenario.js';

const LIMIT = 'sendfile(2), in C';

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
  needs: { [LIMIT]: 'cc' },
  contenders: {
    'pipeline(createReadStream, socket)': piped(undefined),
    '… with highWaterMark 1 MiB': piped(MIB),

    // The limit: no byte enters a process.
    [LIMIT]: async ({ peer, amount, path, native }) => {
      const child = spawn(native as string, ['sendfile', `${amount}`, 'tcp', path], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      child.stdin.write('0\n');
      const [line] = await once(createInterface(child.stdout), 'line');
      const began = performance.now();
      peer.dial(Number(line.split(' ')[1]));
      expectAll(await peer.count(), amount, 'bytes');
      const seconds = (performance.now() - began) / 1000;
      const costs = { seconds, cpu: cpuOf(child.pid), rss: peakMemoryOf(child.pid) };
      await stop(child);
      return costs;
    },

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
