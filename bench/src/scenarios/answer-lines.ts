// Many small answers at a time: requests that come together are answered together, each by a write of its own.
import { once } from 'node:events';
import net from 'node:net';
import { data, encode, lines, linesCodec, listen, serve } from '@rxsock/core';
import split2 from 'split2';
import { expectAll, type Scenario } from '../scenario.js';

/** Requests in flight: as many lines of 64 bytes as come in one message. */
const PIPELINED = 100;

export const answerLines: Scenario = {
  name: 'answer-lines',
  about: `answers lines of 64 bytes, ${PIPELINED} in flight`,
  amount: 10_000,
  rate: { unit: '1,000 lines/s', of: 1000 / PIPELINED },
  cost: { unit: 'CPU-s/M lines', of: 1e6 / PIPELINED },
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

function server(attend: (socket: net.Socket) => void): Scenario['contenders'][string] {
  return async ({ peer, amount }) => {
    const server = net.createServer({ noDelay: true }, attend);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    peer.dial((server.address() as net.AddressInfo).port);
    expectAll(await peer.count(), amount, 'round trips');
    server.close();
  };
}
