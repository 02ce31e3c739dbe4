// cycles: connections are opened, used for one exchange, and closed, one after another.
import { data, encode, lengthPrefixed, lengthPrefixedCodec } from '@rxsock/core';
import { take } from 'rxjs';
import { runClients } from '../clients.js';
import { measured } from '../measured.js';
import { ABORT_CODES } from '../planned-fault.js';
import type { ProcessReport } from '../process-report.js';
import { type RunOptions, type Scenario, scaled } from '../scenario.js';
import { Serving } from '../serving.js';
import { type TransportName, transportNames } from '../transports.js';
import type { CyclesJob } from './job.js';

const CYCLES = 100_000;
const MAX_CONNECTIONS = 1_000;

export const cycles: Scenario = {
  name: 'cycles',
  about: `opens, uses and closes ${CYCLES.toLocaleString('en')} connections; on ${transportNames}`,
  async *run(options) {
    for (const transport of transportNames) yield await cyclesOn(transport, options);
  },
};

async function cyclesOn(transport: TransportName, { scale, seed }: RunOptions): Promise<ProcessReport[]> {
  const reports: ProcessReport[] = [];
  const server = await measured(`${transport} server`, async (findings, queues) => {
    const serving = await Serving.start(
      {
        name: 'server',
        transport,
        maxConnections: MAX_CONNECTIONS,
        // Sends the first message back and ends its side, whether the client has ended or not.
        handler: (socket) =>
          socket.pipe(
            data(),
            lengthPrefixed({ lengthField: 4 }),
            take(1),
            encode(lengthPrefixedCodec({ lengthField: 4 })),
          ),
        // A tenth of the clients aborts after the answer.
        expected: ABORT_CODES,
      },
      findings,
      queues,
    );
    const job: CyclesJob = { target: serving.target, cycles: scaled(CYCLES, scale), seed };
    const [client] = await runClients('cycles', [job]);
    if (client) reports.push({ ...client, role: `${transport} client` });
    await serving.close();
    if (findings.counts[`${transport} server connections`] !== job.cycles)
      findings.violation('the server has not accepted each connection once');
  });
  return [server, ...reports];
}
