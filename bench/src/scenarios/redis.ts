// Commands for Redis, many in flight.
import { connect, exchange, framed } from '@rxsock/core';
import { lastValueFrom } from 'rxjs';
import type { Peer } from '../peer.js';
import { importResp, type Resp } from '../resp-codec.js';
import { type Contender, expectAll, type Scenario } from '../scenario.js';

/** How many commands are in flight. */
const IN_FLIGHT = 100;

export const redis: Scenario = {
  name: 'redis',
  about: `sends GET to redis-server, ${IN_FLIGHT} in flight, and waits for each reply`,
  amount: 200_000,
  rate: { label: '1,000 replies/s', amount: 1000 },
  cost: { label: 'CPU-s/million', amount: 1e6 },
  peer: (amount) => ({ role: 'redis', amount }),
  needs: Object.fromEntries(
    ['ioredis', 'ioredis, enableAutoPipelining', 'exchange()'].map((name) => [name, 'redis-server']),
  ),
  goals: [
    { contender: 'exchange()', atLeast: 1 },
    { contender: 'exchange()', atLeast: 1, to: 'ioredis, enableAutoPipelining' },
  ],
  contenders: {
    ioredis: withIoredis(false),
    'ioredis, enableAutoPipelining': withIoredis(true),

    'exchange()': async ({ peer, amount }) => {
      const { command, respCodec } = await importResp();
      const socket = connect({ host: '127.0.0.1', port: peer.port });
      const requests = exchange<Resp>(framed(socket, respCodec));
      const ask = (...words: string[]) => lastValueFrom(requests.request(command(...words)));
      await ask('SET', 'key', VALUE);
      await askAll(() => ask('GET', 'key'), amount);
      await socket.close();
    },
  },
};

const VALUE = '0123456789abcdef';

function withIoredis(enableAutoPipelining: boolean): Contender {
  return async ({ peer, amount }: { peer: Peer; amount: number }) => {
    const { Redis } = await import('ioredis');
    const client = new Redis({ host: '127.0.0.1', port: peer.port, enableAutoPipelining });
    await client.set('key', VALUE);
    await askAll(() => client.getBuffer('key'), amount);
    client.disconnect();
  };
}

async function askAll(ask: () => Promise<unknown>, amount: number): Promise<void> {
  let left = amount;
  let done = 0;
  const work = async () => {
    while (left-- > 0) if (String(await ask()) === VALUE) done++;
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  expectAll(done, amount, 'replies');
}
