// Runs the steps of the tour one after the other. A step passes only if it proves what it shows.
import { firstValueFrom, from, throwError, timeout } from 'rxjs';
import type { Screen } from './screen.js';
import type { Progress, Step, StepResult } from './step.js';

/**
 * Runs all steps and shows their results, and a table at the end.
 * @param limit How long a step may take, in milliseconds.
 * @returns The exit code: 0 only if there was at least one step and every check of every step holds.
 */
export async function runTour(steps: readonly Step[], screen: Screen, limit: number): Promise<0 | 1> {
  const results: StepResult[] = [];
  for (const step of steps) {
    screen.title(`${results.length + 1}/${steps.length}  ${step.shows}`);
    screen.note(`     ${step.source}`);
    const result = await runStep(step, screen, results, limit);
    screen.endBars();
    screen.result(result);
    results.push(result);
  }
  screen.table(results);
  return results.length > 0 && results.every(({ passed }) => passed) ? 0 : 1;
}

async function runStep(
  step: Step,
  progress: Progress,
  earlier: readonly StepResult[],
  limit: number,
): Promise<StepResult> {
  try {
    const tooLate = () => throwError(() => new Error(`the step took longer than ${limit / 1000} s`));
    const running = from(step.run(progress, earlier));
    const outcome = await firstValueFrom(running.pipe(timeout({ first: limit, with: tooLate })));
    // A step without checks has proved nothing.
    const passed = outcome.checks.length > 0 && outcome.checks.every(({ holds }) => holds);
    return { step, passed, outcome };
  } catch (error) {
    return { step, passed: false, error };
  }
}
