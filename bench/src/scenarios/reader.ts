// Small reads with `await`: a header of 4 bytes and a body of 60 bytes, in turn.
import net from 'node:net';
import { connect, reader } from '@rxsock/core';
import { expectAll, type Scenario } from '../scenario.js';

const HEADER = 4;
const BODY = 60;
const MESSAGE = HEADER + BODY;

type Read = (length: number) => Promise<Uint8Array>;

export const smallReads: Scenario = {
  name: 'reader',
  about: `reads ${HEADER} bytes and ${BODY} bytes in turn, with await`,
  amount: 64 * 1024 * 1024,
  rate: { label: 'M messages/s', amount: MESSAGE * 1e6 },
  cost: { label: 'CPU-s/million', amount: MESSAGE * 1e6 },
  peer: (amount) => ({ role: 'blast', amount }),
  goals: [{ contender: 'reader().read(n)', atLeast: 0.8 }],
  contenders: {
    "net, own buffer in 'data'": async ({ peer, amount }) => {
      const socket = net.connect(peer.port, '127.0.0.1');
      await readMessages(ownBuffer(socket), amount);
      socket.destroy();
    },

    'reader().read(n)': async ({ peer, amount }) => {
      using socket = reader(connect({ host: '127.0.0.1', port: peer.port }));
      await readMessages((length) => socket.read(length), amount);
    },
  },
};

async function readMessages(read: Read, amount: number): Promise<void> {
  const messages = Math.floor(amount / MESSAGE);
  let bytes = 0;
  for (let i = 0; i < messages; i++) {
    bytes += (await read(HEADER)).length;
    bytes += (await read(BODY)).length;
  }
  expectAll(bytes, messages * MESSAGE, 'bytes');
  await read(amount - bytes);
}

/** What people write without a library: resume the socket and join chunks until there are enough bytes. */
function ownBuffer(socket: net.Socket): Read {
  let buffer: Buffer = Buffer.alloc(0);
  let wake = () => {};
  socket.pause();
  socket.on('data', (chunk) => {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    socket.pause();
    wake();
  });
  return async (length) => {
    while (buffer.length < length) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        socket.resume();
      });
    }
    const bytes = buffer.subarray(0, length);
    buffer = buffer.subarray(length);
    return bytes;
  };
}
