// Bytes that are received and sent back: both directions at once, with backpressure from one to the other.
import { data } from '@rxsock/core';
import { BYTES, MIB, type Scenario } from '../scenario.js';
import { ourServer, rawServer } from '../serving.js';

export const echoBulk: Scenario = {
  name: 'echo-bulk',
  about: 'sends bytes back as fast as they arrive',
  amount: 512 * MIB,
  ...BYTES,
  peer: (amount) => ({ role: 'blast', amount, countReceived: true }),
  goals: [{ contender: 'serve(s => s.pipe(data()))', atLeast: 0.95 }],
  contenders: {
    'net, socket.pipe(socket)': rawServer('bytes', (socket) => socket.pipe(socket)),
    'serve(s => s.pipe(data()))': ourServer('bytes', (socket) => socket.pipe(data())),
  },
};
