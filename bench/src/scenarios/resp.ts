// Replies of Redis that are received, parsed and counted.
import net from 'node:net';
import { connect, data, decode } from '@rxsock/core';
import RedisParser from 'redis-parser';
import { lastValueFrom, reduce } from 'rxjs';
import { REPLIES, REPLIES_COUNT } from '../pattern.js';
import { importResp } from '../resp-codec.js';
import { expectAll, type Scenario } from '../scenario.js';

export const resp: Scenario = {
  name: 'resp',
  about: 'parses replies of Redis: a status, a number, 16 bytes and a list, in turn',
  amount: 1_000_000,
  rate: { label: 'M replies/s', amount: 1e6 / REPLIES_COUNT },
  cost: { label: 'CPU-s/million', amount: 1e6 / REPLIES_COUNT },
  peer: (amount) => ({ role: 'blast', amount: amount * REPLIES.length, format: { type: 'resp' } }),
  goals: [{ contender: 'data(), decode()', atLeast: 1 }],
  contenders: {
    'redis-parser': ({ peer, amount }) =>
      new Promise<void>((resolve, reject) => {
        let count = 0;
        const parser = new RedisParser({
          returnReply: () => count++,
          returnError: reject,
          returnFatalError: reject,
          returnBuffers: true,
        });
        const socket = net.connect(peer.port, '127.0.0.1');
        socket.on('data', (bytes) => parser.execute(bytes));
        socket.on('error', reject);
        socket.on('end', () => (count === amount * REPLIES_COUNT ? resolve() : reject(new Error(`${count} replies`))));
      }),

    'data(), decode()': async ({ peer, amount }) => {
      const { respCodec } = await importResp();
      const count = connect({ host: '127.0.0.1', port: peer.port }).pipe(
        data(),
        decode(respCodec),
        reduce((total) => total + 1, 0),
      );
      expectAll(await lastValueFrom(count), amount * REPLIES_COUNT, 'replies');
    },
  },
};
