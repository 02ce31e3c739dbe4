// Runs the steps of the tour one after the other. What did not prove itself is a failure, whatever the reason.
import { firstValueFrom, from, throwError, timeout } from 'rxjs';
import type { Screen } from './screen.js';
import type { Result, Stage, Step } from './step.js';

/**
 * Runs all steps, shows them, and the table at the end.
 * @param limit How long a step may take, in milliseconds.
 * @returns The exit code: 0 only if there was a step and every check of every step holds.
 */
export async function runTour(steps: readonly Step[], screen: Screen, limit: number): Promise<0 | 1> {
  const results: Result[] = [];
  for (const step of steps) {
    screen.title(`${results.length + 1}/${steps.length}  ${step.shows}`);
    screen.note(`     ${step.source}`);
    const result = await attempt(step, screen, results, limit);
    screen.endBars();
    screen.result(result);
    results.push(result);
  }
  screen.table(results);
  return results.length > 0 && results.every(({ passed }) => passed) ? 0 : 1;
}

async function attempt(step: Step, stage: Stage, earlier: readonly Result[], limit: number): Promise<Result> {
  try {
    const late = () => throwError(() => new Error(`it was not done after ${limit / 1000} s`));
    const outcome = await firstValueFrom(from(step.run(stage, earlier)).pipe(timeout({ first: limit, with: late })));
    // A step that checked nothing has proved nothing.
    const passed = outcome.checks.length > 0 && outcome.checks.every(({ holds }) => holds);
    return { step, passed, outcome };
  } catch (error) {
    return { step, passed: false, error };
  }
}
