// Chunks that are received in a loop with `for await`.
import net from 'node:net';
import { connect, data, toAsyncIterable } from '@rxsock/core';
import { BYTES, type Contender, expectAll, MIB, type Scenario } from '../scenario.js';

const counting = (chunksOf: (port: number) => AsyncIterable<Uint8Array>): Contender => {
  return async ({ peer, amount }) => {
    let received = 0;
    for await (const chunk of chunksOf(peer.port)) received += chunk.length;
    expectAll(received, amount, 'bytes');
  };
};

export const forAwait: Scenario = {
  name: 'for-await',
  about: 'receives bytes in a loop with for await, and counts them',
  amount: 1024 * MIB,
  ...BYTES,
  peer: (amount) => ({ role: 'blast', amount }),
  goals: [{ contender: 'toAsyncIterable(… data())', atLeast: 1 }],
  contenders: {
    'for await (… of socket)': counting((port) => net.connect(port, '127.0.0.1')),
    'toAsyncIterable(… data())': counting((port) => toAsyncIterable(connect({ host: '127.0.0.1', port }).pipe(data()))),
  },
};
