// Skips a test whose program is missing, so that the tests pass on a machine that has only Node and npm. The reporter
// missing-programs-reporter.ts lists what was skipped. With RXSOCK_PROGRAMS=required such a test fails.
import { beforeAll, beforeEach, TestRunner } from 'vitest';
import { debianPackages, isInstalled, MISSING } from './programs.mjs';

class MissingProgramError extends Error {}

/** Skips the running test if a program is not installed. In a hook it throws: see `beforeAllWithPrograms`. */
export function needProgram(program: string): void {
  if (isInstalled(program)) return;
  if (process.env.RXSOCK_PROGRAMS === 'required') {
    throw new Error(`This test needs ${program}: apt-get install ${debianPackages[program] ?? program}`);
  }
  TestRunner.getCurrentTest()?.context.skip(MISSING + program);
  throw new MissingProgramError(MISSING + program);
}

/** A `beforeAll` that starts programs. If one of them is missing, the tests are skipped. */
export function beforeAllWithPrograms(start: () => Promise<void>, timeout?: number): void {
  let missing: MissingProgramError | undefined;
  beforeAll(async () => {
    try {
      await start();
    } catch (error) {
      if (!(error instanceof MissingProgramError)) throw error;
      missing = error;
    }
  }, timeout);
  beforeEach(({ skip }) => {
    if (missing) skip(missing.message);
  });
}
