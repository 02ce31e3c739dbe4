// The server side of ping-pong: answers requests, with one in flight.
import { data } from '@rxsock/core';
import { ROUND_TRIPS, type Scenario } from '../scenario.js';
import { ourServer, rawServer } from '../serving.js';

export const echoServer: Scenario = {
  name: 'echo-server',
  about: 'answers requests of 64 bytes, one in flight',
  amount: 100_000,
  ...ROUND_TRIPS,
  peer: (amount) => ({ role: 'ping', amount, size: 64 }),
  goals: [
    { contender: 'serve(s => s.pipe(data()))', atLeast: 0.97 },
    { contender: 'serve(s => s.pipe(data()))', of: 'cpu', atMost: 1.1 },
    { contender: 'serve(s => s.pipe(data()))', of: 'p99', atMost: 1.1 },
  ],
  contenders: {
    'net.createServer': rawServer('round trips', (socket) => {
      socket.on('data', (bytes) => socket.write(bytes));
      socket.on('end', () => socket.end());
    }),
    'serve(s => s.pipe(data()))': ourServer('round trips', (socket) => socket.pipe(data())),
  },
};
