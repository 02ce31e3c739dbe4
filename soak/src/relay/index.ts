// relay: conversations between clients and an origin server, through a relay, with faults on purpose.
import { relay as relaySockets, type Socket } from '@rxsock/core';
import { Observable } from 'rxjs';
import { runClients } from '../clients.js';
import { measured } from '../measured.js';
import { ABORT_CODES, PlannedFault } from '../planned-fault.js';
import type { ProcessReport } from '../process-report.js';
import { Random } from '../random.js';
import { type Scenario, scaled } from '../scenario.js';
import { Serving, type ServingOptions } from '../serving.js';
import { dial, type Target, type TransportName } from '../transports.js';
import type { RelayJob, Route } from './job.js';
import { answer } from './origin.js';

const BYTES = 100e9;
const MAX_CONNECTIONS = 100;
/** How long a cutting relay lasts on average, in milliseconds. */
const MEAN_LIFE = 100;
const EXPECTED = [...ABORT_CODES, 'PlannedFault'];

/** Over UNIX sockets a peer cannot tell an abort from an end, so there is nothing to check. */
const LEGS: readonly (readonly [TransportName, TransportName])[] = [
  ['tcp', 'tcp'],
  ['tcp', 'tcp'],
  ['tls', 'tcp'],
  ['tcp', 'tls'],
];

export const relay: Scenario = {
  name: 'relay',
  about: `passes ${BYTES / 1e9} GB through relay() and serve(), with aborts, half-closes, stalls and slow readers`,
  async *run({ scale, seed }) {
    const reports: ProcessReport[] = [];
    const server = await measured('relay and origin', async (findings, queues) => {
      const servers: Serving[] = [];
      const start = async (name: string, transport: TransportName, handler: ServingOptions['handler']) => {
        const onError = (error: unknown) => {
          if (!(error instanceof PlannedFault)) findings.error(error, `${name} handler`);
        };
        const options = { name, transport, handler, onError, maxConnections: MAX_CONNECTIONS, expected: EXPECTED };
        const serving = await Serving.start(options, findings, queues);
        servers.push(serving);
        return serving.target;
      };
      const random = new Random(seed);
      const routes: Route[] = [];
      for (const [near, far] of LEGS) {
        const origin = await start('origin', far, (socket) => answer(socket, findings));
        const whole = await start('relay', near, (socket) => pass(socket, origin));
        const cutting = await start('relay', near, (socket) => cut(pass(socket, origin), random.wait(MEAN_LIFE)));
        routes.push({ whole, cutting });
      }
      const job: RelayJob = { routes, bytes: scaled(BYTES, scale), seed };
      const clients = await runClients('relay', [job]);
      reports.push(...clients);
      await Promise.all(servers.map((serving) => serving.close()));
    });
    yield [server, ...reports];
  },
};

const pass = (client: Socket, origin: Target): Observable<never> => relaySockets(client, dial(origin));

/** Fails after so many milliseconds, unless it has ended before. */
function cut(passing: Observable<never>, milliseconds: number): Observable<never> {
  return new Observable((subscriber) => {
    const timer = setTimeout(() => subscriber.error(new PlannedFault('the relay was cut on purpose')), milliseconds);
    subscriber.add(() => clearTimeout(timer));
    subscriber.add(passing.subscribe(subscriber));
  });
}
