// Measures what a process uses, after garbage collection.
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import { Socket } from '@rxsock/core';
import type { Resources } from './process-report.js';

/** How often, and how many milliseconds apart, to look whether everything was freed. */
const LOOKS = 25;
const BETWEEN_LOOKS = 100;

export function measureResources(): Resources {
  if (!globalThis.gc) throw new Error('Run Node with --expose-gc: memory is measured after garbage collection');
  globalThis.gc();
  // Counted first, because it also collects garbage.
  const sockets = queryObjects(Socket, { format: 'count' });
  const { rss, heapUsed: heap, external: buffers } = process.memoryUsage();
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : undefined;
  return { rss, heap, buffers, descriptors, sockets };
}

/**
 * Measures again when everything that was opened since `before` is closed and collected. If this does not happen in
 * some seconds, returns what is left. No event tells when the last descriptor of another part of Node is closed.
 */
export async function measureAgain(before: Resources): Promise<Resources> {
  for (let look = 0; ; look++) {
    const now = measureResources();
    if (leftBehind(before, now).length === 0 || look === LOOKS) return now;
    await delay(BETWEEN_LOOKS);
  }
}

/** Names what was left behind. */
export function leftBehind(before: Resources, after: Resources): string[] {
  const left: string[] = [];
  if ((after.descriptors ?? 0) > (before.descriptors ?? 0)) left.push('descriptors are still open');
  if (after.sockets > before.sockets) left.push('sockets are still in memory');
  return left;
}
