// A file that is received.
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { connect, data, type SaveToOptions, saveTo } from '@rxsock/core';
import { lastValueFrom } from 'rxjs';
import { BYTES, type Contender, expectAll, MIB, type Scenario } from '../scenario.js';

/** Receives into a file, checks its length, and removes it. */
const saving = (save: (port: number, file: string) => Promise<unknown>): Contender => {
  return async ({ peer, amount, path }) => {
    const file = join(path, 'file');
    await save(peer.port, file);
    expectAll((await stat(file)).size, amount, 'bytes');
    await rm(file);
  };
};

const ours = (options: SaveToOptions) =>
  saving((port, file) => lastValueFrom(connect({ host: '127.0.0.1', port }).pipe(data(), saveTo(file, options))));

export const saveFiles: Scenario = {
  name: 'save-to',
  about: 'receives a file and writes it to the disk',
  amount: 1024 * MIB,
  ...BYTES,
  peer: (amount) => ({ role: 'blast', amount }),
  fixture: async () => {
    const path = await mkdtemp(join(os.tmpdir(), 'rxsock-bench-'));
    return { path, remove: () => rm(path, { recursive: true }) };
  },
  goals: [{ contender: 'saveTo(), flush: false', atLeast: 1.2 }],
  contenders: {
    'pipeline(socket, createWriteStream)': saving((port, file) =>
      pipeline(net.connect(port, '127.0.0.1'), createWriteStream(file)),
    ),
    'saveTo(), flush: false': ours({ flush: false }),
    'saveTo()': ours({}),
  },
};
