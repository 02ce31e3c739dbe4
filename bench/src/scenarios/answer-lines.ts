// Many small answers at the same time: requests that arrive together are answered together, each with its own write.
import { data, encode, lines, linesCodec } from '@rxsock/core';
import split2 from 'split2';
import type { Scenario } from '../scenario.js';
import { ourServer, rawServer } from '../serving.js';

/** How many requests are in flight: the peer sends this many lines of 64 bytes in one message. */
const PIPELINED = 100;

export const answerLines: Scenario = {
  name: 'answer-lines',
  about: `answers lines of 64 bytes, ${PIPELINED} in flight`,
  amount: 10_000,
  rate: { label: '1,000 lines/s', amount: 1000 / PIPELINED },
  cost: { label: 'CPU-s/M lines', amount: 1e6 / PIPELINED },
  peer: (amount) => ({ role: 'ping', amount, size: 64 * PIPELINED }),
  goals: [
    { contender: 'data(), lines(), encode()', atLeast: 2 },
    { contender: 'data(), lines(), encode()', atLeast: 0.95, to: 'split2, cork, write, uncork' },
  ],
  contenders: {
    'split2, write': rawServer('round trips', (socket) => {
      const lines = socket.pipe(split2());
      lines.on('data', (line: string) => socket.write(`${line}\n`));
      lines.on('end', () => socket.end());
    }),

    'split2, cork, write, uncork': rawServer('round trips', (socket) => {
      let corked = false;
      const uncork = () => {
        corked = false;
        socket.uncork();
      };
      const lines = socket.pipe(split2());
      lines.on('data', (line: string) => {
        if (!corked) {
          corked = true;
          socket.cork();
          process.nextTick(uncork);
        }
        socket.write(`${line}\n`);
      });
      lines.on('end', () => socket.end());
    }),

    'data(), lines(), encode()': ourServer('round trips', (socket) =>
      socket.pipe(data(), lines(), encode(linesCodec())),
    ),
  },
};
