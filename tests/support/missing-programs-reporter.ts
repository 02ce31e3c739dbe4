// Prints one table of the programs that were missing, at the end of a test run.
import type { Reporter, TestModule } from 'vitest/node';
import { debianPackages, MISSING } from './programs.mjs';

/** How many tests were skipped for each missing program. */
function countSkipped(modules: readonly TestModule[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const test of modules.flatMap((module) => [...module.children.allTests('skipped')])) {
    const { note } = test.result() as { note?: string };
    if (!note?.startsWith(MISSING)) continue;
    const program = note.slice(MISSING.length);
    counts.set(program, (counts.get(program) ?? 0) + 1);
  }
  return counts;
}

export const missingProgramsReporter: Reporter = {
  onTestRunEnd(modules) {
    const counts = countSkipped(modules);
    if (counts.size === 0) return;
    const rows = [...counts]
      .sort()
      .map(([program, count]) => [program, debianPackages[program] ?? program, `${count}`]);
    const table = [['missing program', 'Debian package', 'skipped tests'], ...rows];
    const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]!.length)));
    console.log('\nThese tests were skipped. To install what they need: npm run programs\n');
    for (const row of table)
      console.log(
        `  ${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}`,
      );
    console.log();
  },
};
