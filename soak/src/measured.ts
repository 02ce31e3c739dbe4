// Runs the part of a scenario that one process does, and measures what the process needs for it.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Findings } from './findings.js';
import type { ProcessReport } from './process-report.js';
import { Queues } from './queues.js';
import { leftBehind, measureAgain, measureResources } from './resources.js';

/** The most bytes that may wait in a socket whose writer obeys backpressure: several high-water marks of 64 KiB. */
const QUEUE_LIMIT = 4 * 65_536;

/**
 * @param role The name of the process in the report.
 * @param run Does the work. It must close everything that it has opened.
 */
export async function measured(
  role: string,
  run: (findings: Findings, queues: Queues) => Promise<void>,
): Promise<ProcessReport> {
  const findings = new Findings();
  const queues = new Queues();
  const onWarning = ({ name, message }: Error) => {
    // v8.queryObjects() is experimental.
    if (name !== 'ExperimentalWarning') findings.violation(`process warning ${name}: ${message}`);
  };
  const before = measureResources();
  process.on('warning', onWarning);
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const start = performance.now();
  queues.start();
  await run(findings, queues);
  queues.stop();
  const seconds = (performance.now() - start) / 1e3;
  loop.disable();
  const after = await measureAgain(before);
  process.off('warning', onWarning);
  for (const what of leftBehind(before, after)) findings.violation(what);
  if (queues.largest > QUEUE_LIMIT) findings.violation('a queue was larger than backpressure allows');
  const { counts, errors, violations } = findings;
  return {
    role,
    seconds,
    counts,
    errors,
    violations,
    before,
    after,
    largestRss: process.resourceUsage().maxRSS * 1024,
    largestQueue: queues.largest,
    longestStop: loop.max / 1e6,
  };
}
