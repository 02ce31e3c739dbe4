// Runs the clients of a scenario in processes of their own, so that they have descriptors and a heap of their own.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Findings } from './findings.js';
import type { ProcessReport } from './process-report.js';
import type { Queues } from './queues.js';

/** What a client process does. */
export type Client<Job> = (job: Job, findings: Findings, queues: Queues, waitForAll: WaitForAll) => Promise<void>;

/** Waits until all client processes of the scenario wait at this point. */
type WaitForAll = (point: string) => Promise<void>;

/** What a client process says: it waits for all others, or it is done. */
export type ClientMessage = { readonly waiting: string } | { readonly report: ProcessReport };

/**
 * Starts a client process for each job, and waits for all of them.
 *
 * @param scenario The name of the scenario.
 * @param jobs What each process does. They are sent as JSON.
 * @param onAllWaiting Called when all clients wait at the same point; they go on after it.
 * @returns The report of each process.
 */
export async function runClients(
  scenario: string,
  jobs: readonly object[],
  onAllWaiting: (point: string) => void = () => {},
): Promise<ProcessReport[]> {
  let waiting = 0;
  const children: ChildProcess[] = [];
  const arrived = (point: string) => {
    if (++waiting < jobs.length) return;
    waiting = 0;
    onAllWaiting(point);
    for (const child of children) child.send('go');
  };
  const run = async (job: object): Promise<ProcessReport> => {
    const child = fork(new URL('./client.js', import.meta.url), [scenario, JSON.stringify(job)]);
    children.push(child);
    let report: ProcessReport | undefined;
    child.on('message', (message: ClientMessage) => {
      if ('report' in message) report = message.report;
      else arrived(message.waiting);
    });
    const [code] = await once(child, 'close');
    if (!report || code !== 0) throw new Error(`A client of ${scenario} has ended with exit code ${code}`);
    return report;
  };
  try {
    return await Promise.all(jobs.map(run));
  } finally {
    for (const child of children) child.kill();
  }
}
