// A peer that reads slowly is not given up, and one that stops reading is. The progress of a write over TLS is that of
// the TCP connection beneath.
import type { Socket } from '@rxsock/core';
import { listen } from '@rxsock/tls';
import { describe, test } from 'vitest';
import { expectCut, expectPatience, writeAndLeave } from '../../../../tests/support/slow-peers.js';
import { localhost } from '../support/identities.js';

const slow = (lingerTimeout: number) => ({
  kind: 'tls' as const,
  server: listen({ ...localhost, lingerTimeout }),
  use: writeAndLeave,
});

describe.concurrent('lingerTimeout', () => {
  test('a peer that reads one long write is not given up', async (context) => {
    await expectPatience(slow(400), { limit: 20_000_000, rate: 8_000_000, size: 24 << 20 }, context);
  });

  test('a peer that reads slowly without a pause is not given up', async (context) => {
    await expectPatience(slow(1000), { limit: 1_500_000, rate: 250_000 }, context);
  });

  test('a peer that has stopped is given up within twice the limit', async (context) => {
    await expectCut(slow(1000), 1000, context);
  });
});

test('idleTimeout does not give up a peer that reads one long write', async (context) => {
  const use = (socket: Socket, bytes: Buffer) => {
    socket.subscribe({ error: () => {} });
    socket.next(bytes);
  };
  const server = listen({ ...localhost, idleTimeout: 400 });
  await expectPatience({ kind: 'tls', server, use }, { limit: 20_000_000, rate: 8_000_000, size: 24 << 20 }, context);
});
