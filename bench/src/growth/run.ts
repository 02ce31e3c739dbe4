// How CPU time grows with the number of bytes, connections and so on: an exponent over three decades.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { linearRegression } from 'simple-statistics';
import { number, tableOf } from '../report.js';
import type { Request } from './measure.js';
import type { Point, Subject } from './subject.js';

/** The goal for each subject, over all decades and over the last one: time grows at most as the size to this power. */
export const MOST = 1.1;

/** The sizes as multiples of the smallest: two for each of the three decades. */
const MULTIPLES = Array.from({ length: 7 }, (_, index) => 10 ** (index / 2));

/** How the costs of a subject grow. */
export interface Growth {
  readonly name: string;
  readonly about: string;
  readonly points: readonly Point[];
  /** The cost grows as the size to the power of this, over all sizes. */
  readonly exponent: number;
  /** The same over the last decade, where fixed costs hide nothing. */
  readonly lastExponent: number;
}

export async function runGrowth(
  { name, about, smallest }: Subject,
  { scale, repeats, native }: { scale: number; repeats: number; native: string | undefined },
): Promise<Growth> {
  const sizes = MULTIPLES.map((multiple) => Math.max(1, Math.round(smallest * scale * multiple)));
  const request: Request = { subject: name, sizes, repeats, native };
  const child = fork(new URL('./measure.js', import.meta.url), [JSON.stringify(request)], { execArgv: [] });
  const points: Point[] = [];
  child.on('message', (message) => points.push(message as Point));
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${name} failed at ${sizes[points.length]} (exit ${code ?? signal})`);
  return { name, about, points, exponent: fitExponent(points), lastExponent: fitExponent(points.slice(-3)) };
}

/** The slope of the line through the logarithms. */
function fitExponent(points: readonly Point[]): number {
  return linearRegression(points.map(({ size, cpu }) => [Math.log(size), Math.log(cpu)])).m;
}

export function reportGrowth({ name, points, exponent, lastExponent }: Growth): string {
  const table = tableOf([name, 'CPU ms', 'µs each']);
  for (const { size, cpu } of points) table.push([number(size), number(cpu * 1e3), number((cpu / size) * 1e6)]);
  const reached = Math.max(exponent, lastExponent) <= MOST ? 'reached' : 'MISSED';
  const measured = `${exponent.toFixed(2)}, over the last decade ${lastExponent.toFixed(2)}`;
  return `${table}\ngoal: exponent ≤ ${MOST}: ${measured}, ${reached}`;
}
