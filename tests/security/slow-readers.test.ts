// The attack: ask for much, and read it so slowly that the connection and what waits for it stay for hours. Each byte
// is progress, so no idle time limit sees it. The defence: minWriteRate, which is off by default.
import path from 'node:path';
import { listen, type Socket, SocketTimeoutError } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import * as unix from '@rxsock/unix';
import { describe, expect, test } from 'vitest';
import { cert, key } from '../support/certificate.js';
import { expectCut, expectPatience, expectTooSlow } from '../support/slow-peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const LIMITS = { minWriteRate: 250_000, writeGracePeriod: 1000, idleTimeout: 60_000 };

const use = (socket: Socket, bytes: Buffer) => {
  socket.subscribe({ error: () => {} });
  socket.next(bytes);
};
const transports = [
  { kind: 'tcp', start: () => listen(LIMITS) },
  { kind: 'tls', start: () => tls.listen({ ...LIMITS, key, cert }) },
  { kind: 'unix', start: (folder: string) => unix.listen({ ...LIMITS, path: path.join(folder, 'server') }) },
] as const;

describe.concurrent.each(transports)('over $kind', ({ kind, start }) => {
  test('a peer that reads below the minimum rate is given up, although it reads without a pause', async (context) => {
    await using folder = await temporaryFolder();
    const error = await expectTooSlow({ kind, server: start(folder.path), use }, 20_000, context);
    expect(error).toBeInstanceOf(SocketTimeoutError);
    expect(error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'minWriteRate', milliseconds: 1000 });
  });

  test('a peer that reads above the minimum rate is not given up', async (context) => {
    await using folder = await temporaryFolder();
    const reading = { limit: 4_000_000, rate: 1_000_000 };
    await expectPatience({ kind, server: start(folder.path), use }, reading, context);
  });

  test('a peer that has stopped is given up', async (context) => {
    await using folder = await temporaryFolder();
    await expectCut({ kind, server: start(folder.path), use }, LIMITS.writeGracePeriod, context);
  });
});
