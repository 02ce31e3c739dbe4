// The clients of `hold`: open all connections, use each of them in every round, and close them.
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../clients.js';
import { inParallel } from '../pool.js';
import { Random } from '../random.js';
import { dial } from '../transports.js';
import { EchoConnection } from './echo-connection.js';
import type { HoldJob } from './job.js';

/** So many connections dial, echo or close at the same time. More would fill the backlog of the server. */
const AT_ONCE = 100;
const LONGEST_MESSAGE = 2_000;

export const holdClient: Client<HoldJob> = async (job, findings, queues, waitForAll) => {
  const random = new Random(job.seed);
  const connections = Array.from({ length: job.connections }, (_, index) => {
    const socket = dial(job.target);
    queues.watch(socket);
    return new EchoConnection(socket, job.seed + index, findings);
  });
  const forEach = (run: (connection: EchoConnection) => Promise<void>) =>
    inParallel(connections.length, AT_ONCE, (index) => run(connections[index] as EchoConnection));

  await forEach((connection) => connection.echo(1));
  await waitForAll('all are open');
  for (let round = 0; round < job.rounds; round++) {
    await delay(job.pause);
    await forEach((connection) => connection.echo(random.size(1, LONGEST_MESSAGE)));
  }
  await waitForAll('all have been used');
  await forEach((connection) => connection.close());
};
