// How long a few clients wait for answers while another one floods the server with tiny requests.
import type net from 'node:net';
import { data, encode, lines, linesCodec, listen, serve } from '@rxsock/core';
import { listenRaw } from '../raw.js';
import { type Job, ROUND_TRIPS, type Scenario } from '../scenario.js';
import { resultOf } from '../serving.js';

const PINGERS = 20;
const LF = 10;

/** Makes both dial a server, and waits until the pingers have finished. The flood has no end. */
async function pingBesideFlood({ peer, second, amount }: Job, port: number) {
  second.dial(port);
  peer.dial(port);
  const result = await resultOf(peer, amount, 'round trips');
  await second.stop();
  return result;
}

/** Answers all lines of a chunk with one write, and stops reading while the client does not take its answers. */
function answerInBatches(socket: net.Socket): void {
  let rest = '';
  socket.on('data', (chunk) => {
    const end = chunk.lastIndexOf(LF) + 1;
    if (end === 0) {
      rest += chunk.toString();
      return;
    }
    const answers = (rest + chunk.toString('utf8', 0, end)).split('\n').map((line) => `${line}\n`);
    answers.pop();
    rest = chunk.toString('utf8', end);
    if (socket.write(answers.join(''))) return;
    socket.pause();
    socket.once('drain', () => socket.resume());
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => {});
}

export const fairness: Scenario = {
  name: 'fairness',
  about: `answers lines of ${PINGERS} clients, one in flight each, beside a client that floods it with two-byte lines`,
  amount: 5_000,
  step: PINGERS,
  ...ROUND_TRIPS,
  peer: (amount) => ({ role: 'ping', amount, size: 64, connections: PINGERS }),
  second: () => ({
    role: 'blast',
    amount: Number.MAX_SAFE_INTEGER,
    format: { type: 'lines', size: 2 },
    countReceived: true,
  }),
  goals: [{ contender: 'data(), lines(), encode()', of: 'p99', atMost: 1.5 }],
  contenders: {
    'net, a write for each chunk': async (job) => {
      const { server, address } = await listenRaw('tcp', answerInBatches, { allowHalfOpen: true });
      const result = await pingBesideFlood(job, (address as { port: number }).port);
      server.close();
      return result;
    },

    'data(), lines(), encode()': async (job) => {
      const server = listen();
      const answers = server.pipe(serve((socket) => socket.pipe(data(), lines(), encode(linesCodec()))));
      const port = await new Promise<number>((resolve, reject) => {
        answers.subscribe({
          next: (event) => {
            if (event.type === 'listening') resolve(event.address.port);
          },
          error: reject,
        });
      });
      const result = await pingBesideFlood(job, port);
      await server.close({ drain: 0 });
      return result;
    },
  },
};
