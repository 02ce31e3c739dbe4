// Draws the results of a run as SVG files.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { max, median, min } from 'simple-statistics';
import { recordPileUp } from './backpressure/record.js';
import { MOST } from './growth/run.js';
import { describeGoal, number } from './report.js';
import type { Results, ScenarioResult } from './results.js';

/** Of contenders without a goal. */
const OTHERS = '#9aa5b1';
const OURS = '#2f6f9f';
const MISSED = '#b3402e';
const LABELS = 300;

/** Reads what --json wrote, and writes a chart for each scenario, one of all goals and one of growth. */
export async function drawCharts(file: string, folder: string): Promise<readonly string[]> {
  const results: Results = JSON.parse(await readFile(file, 'utf8'));
  const charts = new Map(results.scenarios.map((scenario) => [scenario.name, chartOfRates(scenario)]));
  if (results.scenarios.length > 0) charts.set('goals', chartOfGoals(results.scenarios));
  if (results.growth.length > 0) charts.set('growth', chartOfGrowth(results));
  await mkdir(folder, { recursive: true });
  for (const [name, svg] of charts) await writeFile(join(folder, `${name}.svg`), `${svg}\n`);
  return [...charts.keys()].map((name) => `${name}.svg`);
}

/** The rate of each contender, from the slowest to the fastest round, and its ratio to the baseline. */
function chartOfRates({ name, amount, rate, outcomes, goals }: ScenarioResult): string {
  const bars = outcomes
    .filter(({ measurements }) => measurements.length > 0)
    .map(({ contender, measurements }) => {
      const rates = measurements.map(({ seconds }) => amount / seconds / rate.amount);
      return { contender, median: median(rates), min: min(rates), max: max(rates) };
    });
  const baseline = bars[0]?.median ?? Number.NaN;
  return draw({
    marginLeft: LABELS,
    marginRight: 60,
    x: { label: `${name}: ${rate.label}`, grid: true, zero: true },
    y: { label: null, domain: bars.map(({ contender }) => contender) },
    marks: [
      Plot.barX(bars, {
        x: 'median',
        y: 'contender',
        fill: (bar) => (goals.some(({ contender }) => contender === bar.contender) ? OURS : OTHERS),
      }),
      Plot.ruleY(bars, { x1: 'min', x2: 'max', y: 'contender', strokeWidth: 1.5 }),
      Plot.text(bars, {
        x: 'max',
        y: 'contender',
        text: (bar) => `${(bar.median / baseline).toFixed(2)} ×`,
        textAnchor: 'start',
        dx: 6,
      }),
      Plot.ruleX([0]),
    ],
  });
}

/**
 * How far each goal is: from 1 on it is reached. For a ratio that should be small, the goal is divided by it. The axis is
 * logarithmic: half of a goal is as far from it as twice the goal.
 */
function chartOfGoals(scenarios: readonly ScenarioResult[]): string {
  const bars = scenarios.flatMap(({ name, goals }) =>
    goals.flatMap((goal) => {
      const { ratio, atLeast, atMost, met } = goal;
      if (ratio === undefined) return [];
      const reached = atLeast === undefined ? (atMost ?? Number.NaN) / ratio : ratio / atLeast;
      return [{ goal: `${name}: ${describeGoal(goal)}`, reached, met, text: number(ratio) }];
    }),
  );
  const isReached = ({ reached }: { reached: number }) => reached >= 1;
  const label = { x: 'reached', y: 'goal', text: 'text' };
  // With room for the labels.
  const all = bars.map(({ reached }) => reached);
  const domain = [Math.min(0.7, 0.6 * min(all)), Math.max(1.4, 1.4 * max(all))];
  return draw({
    width: 1000,
    marginLeft: 520,
    marginRight: 60,
    x: { type: 'log', domain, tickFormat: '~g', label: 'measured : goal', grid: true, axis: 'both' },
    y: { label: null, domain: bars.map(({ goal }) => goal), tickSize: 0 },
    marks: [
      Plot.barX(bars, { x1: 1, x2: 'reached', y: 'goal', fill: (bar) => (bar.met ? OURS : MISSED) }),
      Plot.text(bars.filter(isReached), { ...label, textAnchor: 'start', dx: 6 }),
      Plot.text(
        bars.filter((bar) => !isReached(bar)),
        { ...label, textAnchor: 'end', dx: -6 },
      ),
      Plot.ruleX([1]),
    ],
  });
}

function chartOfGrowth({ growth }: Results): string {
  const points = growth.flatMap(({ about, exponent, points: measured }) => {
    const first = measured[0];
    const subject = `${about}: ${exponent.toFixed(2)}`;
    return measured.map(({ size, cpu }) => ({
      subject,
      size: size / (first?.size ?? 1),
      cpu: cpu / (first?.cpu ?? 1),
    }));
  });
  const largest = max(points.map(({ size }) => size));
  return draw({
    width: 800,
    height: 500,
    marginRight: 260,
    x: { type: 'log', label: 'size (smallest = 1)', grid: true },
    y: { type: 'log', tickFormat: '~g', label: `CPU time (smallest = 1); dashed: exponent ${MOST}`, grid: true },
    color: { type: 'categorical' },
    marks: [
      Plot.line(
        [
          [1, 1],
          [largest, largest ** MOST],
        ],
        { strokeDasharray: '4 4' },
      ),
      Plot.line(points, { x: 'size', y: 'cpu', stroke: 'subject', marker: true }),
      Plot.text(
        points,
        Plot.selectLast({ x: 'size', y: 'cpu', z: 'subject', text: 'subject', textAnchor: 'start', dx: 8 }),
      ),
    ],
  });
}

/** Records a run, and draws what waits in a process that is too slow, with backpressure and without. */
export async function drawPileUp(file: string, seconds: number): Promise<void> {
  const samples = (await recordPileUp(seconds)).map((sample) => ({ ...sample, waiting: sample.waiting / 1e6 }));
  const line = { x: 'seconds', y: 'waiting', z: 'operator' };
  const svg = draw({
    marginRight: 170,
    x: { label: 'seconds', grid: true },
    y: { label: 'MB that were received and wait', grid: true },
    color: { domain: ['concatMap', 'mapWithBackpressure'], range: [MISSED, OURS] },
    marks: [
      Plot.line(samples, { ...line, stroke: 'operator', strokeWidth: 2 }),
      Plot.text(samples, Plot.selectLast({ ...line, text: 'operator', textAnchor: 'start', dx: 6 })),
      Plot.ruleY([0]),
    ],
  });
  await writeFile(file, `${svg}\n`);
}

function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const style = { background: 'white', color: '#222' } as Plot.PlotOptions['style'];
  const svg = Plot.plot({ width: 800, ...options, style, document });
  // A file of its own needs it; in a page it is not needed, so Plot leaves it out.
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return svg.outerHTML;
}
