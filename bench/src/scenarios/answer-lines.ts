// Many small answers at the same time: requests that arrive together are answered together, each with its own write.
import { once } from 'node:events';
import net from 'node:net';
import { data, encode, lines, linesCodec, listen, serve } from '@rxsock/core';
import split2 from 'split2';
import { expectAll, type Scenario } from '../scenario.js';

/** How many requests are in flight: the peer sends this many lines of 64 bytes in one message. */
const PIPELINED = 100;

export const answerLines: Scenario = {
  name: 'answer-lines',
  about: `answers lines of 64 bytes, ${PIPELINED} in flight`,
  amount: 10_000,
  rate: { label: '1,000 lines/s', amount: 1000 / PIPELINED },
  cost: { label: 'CPU-s/M lines', amount: 1e6 / PIPELINED },
  peer: (amount) => ({ role: 'ping', amount, size: 64 * PIPELINED }),
  aims: { 'data(), lines(), encode()': 1.5 },
  contenders: {
    'split2, write': server((socket) => {
      socket.pipe(split2()).on('data', (line: string) => socket.write(`${line}\n`));
    }),

    'split2, cork, write, uncork': server((socket) => {
      let corked = false;
      const uncork = () => {
        corked = false;
        socket.uncork();
      };
      socket.pipe(split2()).on('data', (line: string) => {
        if (!corked) {
          corked = true;
          socket.cork();
          process.nextTick(uncork);
        }
        socket.write(`${line}\n`);
      });
    }),

    'data(), lines(), encode()': async ({ peer, amount }) => {
      const server = listen();
      const answers = server.pipe(serve((socket) => socket.pipe(data(), lines(), encode(linesCodec()))));
      answers.subscribe((event) => {
        if (event.type === 'listening') peer.dial(event.address.port);
        if (event.type === 'connectionError') throw event.error;
      });
      expectAll(await peer.count(), amount, 'round trips');
      await server.close();
    },
  },
};

function server(onConnection: (socket: net.Socket) => void): Scenario['contenders'][string] {
  return async ({ peer, amount }) => {
    const server = net.createServer({ noDelay: true }, onConnection);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    peer.dial((server.address() as net.AddressInfo).port);
    expectAll(await peer.count(), amount, 'round trips');
    server.close();
  };
}
