// The guide's table of operators says what the table test of the operators has checked.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type FlowClass, operatorTable } from '../support/operator-table.js';
import { root } from '../support/snippets.js';

const classes: Record<FlowClass, string> = {
  'passes through': 'passes a hold on | what the operator itself is about',
  'time-shifting': 'shifts in time, passes a hold on | rate × delay',
  'queues by itself': 'queues by itself | none: use `mapWithBackpressure`',
  'breaks the chain: found by lift': 'behind a Subject, and found | as the source',
  'breaks the chain: pass { flow }': 'behind a Subject, not found | the `overflow` policy: pass `{ flow }`',
  'cannot be held': 'makes values that nobody can stop | the `overflow` policy',
};

test("the guide's table of operators is the one that is tested", async () => {
  const rows = Object.entries(classes).map(([name, words]) => {
    const members = operatorTable.filter((row) => row.class === name).map((row) => `\`${row.name}\``);
    return `| ${words} | ${[...new Set(members)].sort().join(', ')} |`;
  });
  const guide = await readFile(join(root, 'docs', 'backpressure.md'), 'utf8');
  const [, written] = guide.split(/<!-- \/?operators -->\n/);
  const head = ['| what it does | bound on what is kept | operators |', '|---|---|---|'];
  expect(written?.trim()).toBe([...head, ...rows].join('\n'));
});
