// The clients of `budget`: many connections that read a chunk now and then, and a few short conversations beside them.
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../clients.js';
import { EchoConnection } from '../hold/echo-connection.js';
import { inParallel } from '../pool.js';
import { Random } from '../random.js';
import { dial } from '../transports.js';
import type { BudgetJob } from './job.js';

const AT_ONCE = 20;
/** How long to wait while the backlog of the server is full, in milliseconds: it is busy writing. */
const RETRY = 20;
const LONGEST_MESSAGE = 2_000;

export const budgetClient: Client<BudgetJob> = async (job, findings, queues, waitForAll) => {
  const random = new Random(job.seed);
  const readers: net.Socket[] = [];
  await inParallel(job.connections, AT_ONCE, async () => {
    const reader = await slowReader(job.path);
    reader.on('error', (error) => findings.error(error, 'slow reader'));
    readers.push(reader);
  });
  await waitForAll('all are open');
  let slowest = 0;
  for (let i = 0; i < job.echoes; i++) {
    const reader = random.pick(readers);
    reader.once('data', () => reader.pause()).resume();
    const socket = dial({ transport: 'tcp', port: job.port });
    const unwatch = queues.watch(socket);
    const start = performance.now();
    const connection = new EchoConnection(socket, job.seed + i, findings);
    await connection.echo(random.size(1, LONGEST_MESSAGE));
    slowest = Math.max(slowest, performance.now() - start);
    await connection.close();
    unwatch();
  }
  findings.counts['ms of the slowest conversation'] = Math.ceil(slowest);
  await waitForAll('all others were served');
  const closed = readers.map((reader) => once(reader, 'close'));
  for (const reader of readers) reader.destroy();
  await Promise.all(closed);
};

/** Connects, and reads nothing yet. The kernel does not make the clients of a UNIX socket wait, it refuses them. */
async function slowReader(path: string): Promise<net.Socket> {
  for (;;) {
    const reader = net.connect(path).pause();
    try {
      await once(reader, 'connect');
      return reader;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await delay(RETRY);
    }
  }
}
