// Prints what a run has found.
import Table from 'cli-table3';
import prettyBytes from 'pretty-bytes';
import type { ProcessReport, Resources } from './process-report.js';

/** Returns the report of a run as text. */
export function report(reports: readonly ProcessReport[]): string {
  return [measurements(reports), ...reports.map(findings)].filter((text) => text !== '').join('\n');
}

/** Whether no process has found a broken invariant. */
export const passed = (reports: readonly ProcessReport[]): boolean =>
  reports.every(({ violations }) => Object.keys(violations).length === 0);

function measurements(reports: readonly ProcessReport[]): string {
  const table = new Table({
    head: ['process', 'seconds', 'heap', 'buffers', 'RSS', 'max RSS', 'fds', 'sockets', 'queue', 'stop'],
    style: { head: [], border: [], compact: true },
  });
  for (const { role, seconds, before, after, largestRss, largestQueue, longestStop } of reports) {
    const change = (of: (resources: Resources) => string) => `${of(before)} → ${of(after)}`;
    table.push([
      role,
      seconds.toFixed(1),
      change(({ heap }) => size(heap)),
      change(({ buffers }) => size(buffers)),
      change(({ rss }) => size(rss)),
      size(largestRss),
      change(({ descriptors }) => String(descriptors ?? '?')),
      change(({ sockets }) => String(sockets)),
      size(largestQueue),
      `${longestStop.toFixed(0)} ms`,
    ]);
  }
  return table.toString();
}

function findings({ role, counts, errors, violations }: ProcessReport): string {
  return [
    ...lines(`${role} did`, counts),
    ...lines(`${role} errors`, errors),
    ...lines(`${role} BROKEN`, violations),
  ].join('\n');
}

function lines(title: string, counts: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(counts);
  if (entries.length === 0) return [];
  return [`${title}: ${entries.map(([name, count]) => `${name} ${count.toLocaleString('en')}`).join(' · ')}`];
}

const size = (bytes: number): string => prettyBytes(bytes, { maximumFractionDigits: 1 });
