// budget: very many peers read slowly what a server sends without end. Its memory is bounded, and others are served.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { data, flowFrom, listen, memoryBudget, on, type Server, serve } from '@rxsock/core';
import * as unix from '@rxsock/unix';
import { firstValueFrom } from 'rxjs';
import { runClients } from '../clients.js';
import { checkDescriptors, connectionsPerProcess } from '../limits.js';
import { measured } from '../measured.js';
import type { ProcessReport } from '../process-report.js';
import { type Scenario, scaled } from '../scenario.js';
import type { BudgetJob } from './job.js';

const MIB = 1024 * 1024;
const CONNECTIONS = 10_000;
const ECHOES = 2_000;
/** In MiB. If each of the connections kept a chunk, they would keep two and a half times as much. */
const BUDGET = 64;
const CHUNK = 16 * 1024;
const MOST_PER_CLIENT = 5_000;

export const budget: Scenario = {
  name: 'budget',
  about: `${CONNECTIONS.toLocaleString('en')} connections that read slowly share ${BUDGET} MiB with ${ECHOES.toLocaleString('en')} short conversations`,
  async *run({ scale, seed }) {
    const connections = scaled(CONNECTIONS, scale);
    checkDescriptors(connections);
    const processes = Math.ceil(connections / Math.min(MOST_PER_CLIENT, connectionsPerProcess()));
    const folder = await mkdtemp(join(tmpdir(), 'rxsock-soak-'));
    const reports: ProcessReport[] = [];
    const server = await measured('server', async (findings, queues) => {
      const shared = memoryBudget(scaled(BUDGET, scale) * MIB);
      const limits = { budget: shared, maxConnections: connections };
      const path = join(folder, 'socket');
      const start = async <S extends Server>(listening: S, where: string, answer: Parameters<typeof serve>[0]) => {
        const address = firstValueFrom(listening.pipe(on('listening')));
        listening.pipe(serve(answer)).subscribe((event) => {
          if (event.type === 'connection') queues.watch(event.socket);
          // The slow readers leave in the middle of an answer.
          else if (event.type === 'connectionError') findings.error(event.error, where, ['ECONNRESET', 'EPIPE']);
        });
        return (await address).address;
      };
      // The kernel keeps less of a UNIX socket than of a TCP connection.
      const endless = unix.listen({ ...limits, path, backlog: 4096 });
      const echo = listen(limits);
      await start(endless, 'endless', () => flowFrom(chunks()));
      const { port } = (await start(echo, 'echo', (socket) => socket.pipe(data()))) as { port: number };
      let most = 0;
      let resident = 0;
      const look = () => {
        if (shared.used > shared.limit) findings.violation('the budget was exceeded');
        if (shared.used <= most) return;
        most = shared.used;
        resident = process.memoryUsage.rss();
      };
      const timer = setInterval(look, 10);
      const jobs = Array.from({ length: processes }, (_, index): BudgetJob => {
        const share = Math.ceil((connections - index) / processes);
        return { path, port, connections: share, echoes: scaled(ECHOES / processes, scale), seed: seed + index };
      });
      const clients = await runClients('budget', jobs, (point) => {
        look();
        const areAccepted = point === 'all are open' || endless.sockets.size === connections;
        if (!areAccepted) findings.violation(`${point}: the server has lost connections`);
        findings.counts[`kB charged when ${point}`] = Math.round(shared.used / 1e3);
        findings.counts[`MB resident when ${point}`] = Math.round(process.memoryUsage.rss() / 1e6);
      });
      clearInterval(timer);
      findings.counts['kB charged at most'] = Math.round(most / 1e3);
      findings.counts['MB resident then'] = Math.round(resident / 1e6);
      reports.push(...clients.map((report) => ({ ...report, role: 'client' })));
      await Promise.all([endless.close(), echo.close()]);
      if (shared.used !== 0) findings.violation('something was not given back to the budget');
    });
    await rm(folder, { recursive: true });
    yield [server, ...reports];
  },
};

function* chunks() {
  const chunk = Buffer.alloc(CHUNK);
  for (;;) yield chunk;
}
