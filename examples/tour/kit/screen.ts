// The output of the tour: progress bars and colours in a terminal, plain lines everywhere else.
import { styleText } from 'node:util';
import cliProgress from 'cli-progress';
import Table from 'cli-table3';
import { map, merge, type Observable, Subject, sampleTime, take, takeLast } from 'rxjs';
import { bytes, rate } from './format.js';
import type { Outcome } from './outcome.js';
import type { Progress, ProgressBar, StepResult } from './step.js';

const { stdout } = process;
const isTerminal = stdout.isTTY === true && process.env.TERM !== 'dumb';
// hasColors() is false if NO_COLOR is set.
const hasColours = isTerminal && stdout.hasColors();
// The text beside a bar takes up to 45 columns.
const barsize = Math.max(10, Math.min(40, (stdout.columns ?? 80) - 45));

function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return hasColours ? styleText(style, text) : text;
}

export class Screen implements Progress {
  #bars: cliProgress.MultiBar | undefined;
  readonly #ended = new Subject<void>();

  title(text: string): void {
    console.log(`\n${paint(['bold', 'cyan'], text)}`);
  }

  note(text: string): void {
    console.log(paint('dim', text));
  }

  bar(label: string, total: number): ProgressBar {
    if (!isTerminal) return plainBar(label, total, this.#ended);
    this.#bars ??= new cliProgress.MultiBar({
      stream: stdout,
      format: `  {label} ${paint('cyan', '{bar}')} {percentage}% of {total}, {rate}{eta_formatted}`,
      formatValue: (value, _, what) => (what === 'total' ? bytes(value) : String(value)),
      formatTime: (seconds) => (Number.isFinite(seconds) && seconds > 0 ? `, ${seconds} s left` : ''),
      barsize,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      etaBuffer: 50,
    });
    const begin = performance.now();
    const bar = this.#bars.create(total, 0, { label: label.padEnd(5), rate: '…' });
    return {
      update(count) {
        bar.update(count, { rate: rate(count, (performance.now() - begin) / 1000) });
        if (count >= total) bar.stop();
      },
    };
  }

  /** Stops updating the bars and shows the cursor again. */
  endBars(): void {
    this.#bars?.stop();
    this.#bars = undefined;
    this.#ended.next();
  }

  result({ outcome, error }: StepResult): void {
    for (const { claim, holds } of outcome?.checks ?? []) console.log(`  ${mark(holds)} ${claim}`);
    if (error !== undefined) console.log(`  ${mark(false)} ${describe(error)}`);
  }

  /** Prints a table of all steps, and the reasons why steps failed. */
  table(results: readonly StepResult[]): void {
    const table = new Table({
      head: ['Step', 'Bytes', 'Rate', 'Peak queue', 'Checks'].map((title) => paint('bold', title)),
      colAligns: ['left', 'right', 'right', 'right', 'left'],
      style: { head: [], border: hasColours ? ['grey'] : [], compact: true },
    });
    for (const { step, outcome, passed } of results) {
      table.push([step.name, ...measurements(outcome), `${mark(passed)} ${summary(outcome)}`]);
    }
    console.log(`\n${table}`);
    const failed = results.filter(({ passed }) => !passed);
    for (const { step, outcome, error } of failed) {
      const claims = (outcome?.checks ?? []).filter(({ holds }) => !holds).map(({ claim }) => claim);
      const reasons = outcome ? claims : [describe(error)];
      console.log(`${mark(false)} ${step.name}: ${reasons.join('; ') || 'it has no checks'}`);
    }
    if (results.length > 0 && failed.length === 0) console.log(`${mark(true)} Every check of every step passed.`);
  }
}

/** A bar without a terminal: prints one line per second, and one at the end. */
function plainBar(label: string, total: number, ended: Observable<void>): ProgressBar {
  const begin = performance.now();
  const counts = new Subject<number>();
  const lines = merge(counts.pipe(sampleTime(1000)), counts.pipe(takeLast(1))).pipe(
    map((count) => {
      const speed = rate(count, (performance.now() - begin) / 1000);
      return `  ${label.padEnd(5)} ${Math.floor((count / total) * 100)}% of ${bytes(total)}, ${speed}`;
    }),
  );
  lines.subscribe((line) => console.log(line));
  ended.pipe(take(1)).subscribe(() => counts.complete());
  return {
    update(count) {
      counts.next(count);
      if (count >= total) counts.complete();
    },
  };
}

function measurements(outcome: Outcome | undefined): string[] {
  if (!outcome) return ['–', '–', '–'];
  const { bytes: count, seconds, peakQueue } = outcome;
  return [bytes(count), seconds === undefined ? '–' : rate(count, seconds), bytes(peakQueue)];
}

function summary(outcome: Outcome | undefined): string {
  if (!outcome) return 'failed';
  return `${outcome.checks.filter(({ holds }) => holds).length} of ${outcome.checks.length}`;
}

function mark(holds: boolean): string {
  return holds ? paint('green', '✔') : paint(['bold', 'red'], '✘');
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
