// A peer that reads slowly is not given up, and one that stops reading is, by each time limit that waits for progress.
// The peers read so slowly that the kernel of this side takes nothing for longer than two of these limits.
import { type ListenOptions, listen, type Socket } from '@rxsock/core';
import { describe, test } from 'vitest';
import { expectCut, expectPatience, writeAndLeave } from '../../../../tests/support/slow-peers.js';

const LIMIT = 1000;

const subscribeAndWrite = (socket: Socket, bytes: Buffer) => {
  socket.subscribe({ error: () => {} });
  socket.next(bytes);
};
/** `bytes` fill the kernels, so that nothing that is written after them leaves. */
const continueWriting = (socket: Socket, bytes: Buffer) => {
  subscribeAndWrite(socket, bytes);
  const writing = setInterval(() => socket.next('more'), 50);
  socket.subscribe({ error: () => clearInterval(writing) });
};
const writeAndComplete = (socket: Socket, bytes: Buffer) => {
  socket.next(bytes);
  socket.complete();
};

const limits: [keyof ListenOptions, { use: typeof writeAndLeave; fin?: boolean }][] = [
  ['lingerTimeout', { use: writeAndLeave }],
  ['idleTimeout', { use: subscribeAndWrite }],
  ['halfOpenTimeout', { use: subscribeAndWrite, fin: true }],
  ['finTimeout', { use: writeAndComplete }],
];

describe.concurrent('over TCP', () => {
  test.for(limits)('%s does not give up a peer that reads slowly without a pause', async ([option, how], context) => {
    const server = listen({ [option]: LIMIT, allowHalfOpen: true });
    await expectPatience({ kind: 'tcp', server, ...how }, { limit: 1_500_000, rate: 250_000 }, context);
  });

  test.for(limits)('%s gives up a peer that has stopped, within twice the limit', async ([option, how], context) => {
    const server = listen({ [option]: LIMIT, allowHalfOpen: true });
    await expectCut({ kind: 'tcp', server, ...how }, LIMIT, context);
  });

  test('idleTimeout gives up a peer that has stopped, although this side continues to write', async (context) => {
    const server = listen({ idleTimeout: LIMIT });
    await expectCut({ kind: 'tcp', server, use: continueWriting }, LIMIT, context);
  });
});
