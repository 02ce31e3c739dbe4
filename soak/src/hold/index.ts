// hold: many connections are open at once, and each sends something now and then and gets it back.
import { data } from '@rxsock/core';
import { runClients } from '../clients.js';
import { checkDescriptors, connectionsPerProcess } from '../limits.js';
import { measured } from '../measured.js';
import type { ProcessReport } from '../process-report.js';
import { type RunOptions, type Scenario, scaled } from '../scenario.js';
import { Serving } from '../serving.js';
import { type TransportName, transportNames } from '../transports.js';
import type { HoldJob } from './job.js';

const CONNECTIONS = 10_000;
const ROUNDS = 20;
/** In milliseconds, at scale 1. */
const PAUSE = 2_000;
/** So that two processes share the work of the clients. */
const MOST_PER_CLIENT = 5_000;

export const hold: Scenario = {
  name: 'hold',
  about: `holds ${CONNECTIONS.toLocaleString('en')} connections, each of which echoes ${ROUNDS} times; on ${transportNames}`,
  async *run(options) {
    checkDescriptors(scaled(CONNECTIONS, options.scale));
    for (const transport of transportNames) yield await holdOn(transport, options);
  },
};

async function holdOn(transport: TransportName, { scale, seed }: RunOptions): Promise<ProcessReport[]> {
  const connections = scaled(CONNECTIONS, scale);
  const processes = Math.ceil(connections / Math.min(MOST_PER_CLIENT, connectionsPerProcess()));
  const reports: ProcessReport[] = [];
  const server = await measured(`${transport} server`, async (findings, queues) => {
    const serving = await Serving.start(
      { name: 'server', transport, maxConnections: connections, handler: (socket) => socket.pipe(data()) },
      findings,
      queues,
    );
    const jobs = Array.from({ length: processes }, (_, index): HoldJob => {
      const share = Math.floor((connections * (index + 1)) / processes) - Math.floor((connections * index) / processes);
      const pause = PAUSE * Math.min(1, scale);
      return { target: serving.target, connections: share, rounds: ROUNDS, pause, seed: seed + index };
    });
    const checkOpen = (point: string) => {
      if (serving.open() !== connections) findings.violation(`${point}: the server has lost connections`);
      findings.counts['MB of heap and buffers while held'] = Math.round(usedMemory() / 1e6);
    };
    const clients = await runClients('hold', jobs, checkOpen);
    reports.push(...clients.map((report) => ({ ...report, role: `${transport} client` })));
    await serving.close();
  });
  return [server, ...reports];
}

function usedMemory(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
