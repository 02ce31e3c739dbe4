export interface TestResult {
  readonly name: string;
  readonly failure?: string;
}

export function runTests(
  command: readonly string[],
  runner: string,
  bundle: string | undefined,
  env?: NodeJS.ProcessEnv,
  silence?: number,
): Promise<TestResult[]>;
