// A process that receives more than it can use, with the operator that its argument names. It reports what it keeps.
import { connect, data, mapWithBackpressure } from '@rxsock/core';
import { concatMap, map, timer } from 'rxjs';

/** What the process can use, in bytes a millisecond. */
const SPEED = 10_000;

/** How often it reports, in milliseconds. */
const INTERVAL = 100;

export interface Report {
  /** Since the process connected. */
  readonly seconds: number;
  /** The bytes that were received and are not used yet. */
  readonly waiting: number;
}

const [operator, port] = process.argv.slice(2);
const use = (bytes: Uint8Array) => timer(bytes.length / SPEED).pipe(map(() => bytes.length));
const operators = { concatMap: concatMap(use), mapWithBackpressure: mapWithBackpressure(use) };

let used = 0;
const socket = connect({ port: Number(port) });
socket.pipe(data(), operators[operator as keyof typeof operators]).subscribe((length) => {
  used += length;
});
const start = performance.now();
setInterval(() => {
  const report: Report = { seconds: (performance.now() - start) / 1000, waiting: socket.bytesRead - used };
  process.send?.(report);
}, INTERVAL);
