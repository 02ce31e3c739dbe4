// Makes docs/compliance.md from a run: prints the table, and writes it if all tests passed. See `COMMAND`.
import { writeFileSync } from 'node:fs';
import type { Reporter } from 'vitest/node';
import type { Compliance } from './support/compliance.js';
import { table } from './support/table.js';

const DOCUMENT = new URL('../../docs/compliance.md', import.meta.url);

export default class ComplianceReporter implements Reporter {
  readonly onTestRunEnd: NonNullable<Reporter['onTestRunEnd']> = (modules, _errors, reason) => {
    const outcomes = new Map<string, boolean>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { compliance } = test.meta();
        if (!compliance) continue;
        const passed = test.result().state === 'passed';
        outcomes.set(keyOf(compliance), passed && (outcomes.get(keyOf(compliance)) ?? true));
      }
    }
    const result = table((cell) => outcomes.get(keyOf(cell)) ?? false);
    console.log(result);
    if (reason === 'passed' && !result.includes('✗')) writeFileSync(DOCUMENT, result);
    else process.exitCode = 1;
  };
}

const keyOf = ({ transport, topic, behaviour }: Compliance) => JSON.stringify([transport, topic, behaviour]);
