// The attack: ask for much, and read it so slowly that the connection and what waits for it stay for hours. Each byte
// is progress, so no idle time limit sees it. The defence: minWriteRate, which is off by default.
import path from 'node:path';
import { type ListenOptions, listen, type Socket, SocketTimeoutError } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import * as unix from '@rxsock/unix';
import { describe, expect, test } from 'vitest';
import { cert, key } from '../support/certificate.js';
import { expectPatience, giveUpError } from '../support/slow-peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const STRICT = { minWriteRate: 250_000, writeGracePeriod: 1000, idleTimeout: 60_000 };
/** The peers read a hundred times faster, so that a busy machine does not make them too slow. */
const EASY = { minWriteRate: 20_000, writeGracePeriod: 1500 };

const use = (socket: Socket, bytes: Buffer) => {
  socket.subscribe({ error: () => {} });
  socket.next(bytes);
};
const transports = [
  { kind: 'tcp', start: (options: ListenOptions) => listen(options) },
  { kind: 'tls', start: (options: ListenOptions) => tls.listen({ ...options, key, cert }) },
  {
    kind: 'unix',
    start: ({ minWriteRate, writeGracePeriod }: ListenOptions, folder: string) =>
      unix.listen({ minWriteRate, writeGracePeriod, path: path.join(folder, 'server') }),
  },
] as const;

describe.concurrent.each(transports)('over $kind', ({ kind, start }) => {
  test.for([
    ['reads below the minimum rate', { rate: 20_000 }],
    ['has stopped', { limit: 100_000 }],
  ] as const)('a peer that %s is given up', async ([, reading], context) => {
    await using folder = await temporaryFolder();
    const error = await giveUpError({ kind, server: start(STRICT, folder.path), use }, reading, context);
    expect(error).toBeInstanceOf(SocketTimeoutError);
    expect(error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'minWriteRate', milliseconds: 1000 });
  });

  test('a peer that reads above the minimum rate is not given up', async (context) => {
    await using folder = await temporaryFolder();
    const reading = { limit: 7_000_000, rate: 2_000_000 };
    await expectPatience({ kind, server: start(EASY, folder.path), use }, reading, context);
  });
});
