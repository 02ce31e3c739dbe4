// How much memory the process really uses: after a garbage collection.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Returns the bytes that are in use after a garbage collection; 0 where none can be asked for. */
export function retainedBytes(): number {
  collect ??= findCollector();
  if (!collect) return 0;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function findCollector(): (() => void) | undefined {
  setFlagsFromString('--expose-gc');
  return runInNewContext('typeof gc === "function" ? gc : undefined');
}
