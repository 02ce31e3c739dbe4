// The guide's table of operators says what the table test of the operators has checked.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type FlowClass, operatorTable } from '../support/operator-table.js';
import { root } from '../support/snippets.js';

const classes: Record<FlowClass, string> = {
  'passes through': 'passes a hold on to its sources | no more than its purpose requires',
  'time-shifting': 'delays values, and passes a hold on | rate × delay',
  'queues by itself': 'keeps values in a queue of its own | none: use `mapWithBackpressure`',
  'breaks the chain: found by lift': 'shares its source through a Subject, and the source is found | as for the source',
  'breaks the chain: pass { flow }':
    'uses a Subject, and the source is not found | the `overflow` policy; pass `{ flow }`',
  'cannot be held': 'creates values that cannot be held | the `overflow` policy',
};

test("the guide's table of operators is the one that is tested", async () => {
  const rows = Object.entries(classes).map(([name, words]) => {
    const members = operatorTable.filter((row) => row.class === name).map((row) => `\`${row.name}\``);
    return `| ${words} | ${[...new Set(members)].sort().join(', ')} |`;
  });
  const guide = await readFile(join(root, 'docs', 'backpressure.md'), 'utf8');
  const [, written] = guide.split(/<!-- \/?operators -->\n/);
  const head = ['| what the operator does | limit on the values that wait | operators |', '|---|---|---|'];
  expect(written?.trim()).toBe([...head, ...rows].join('\n'));
});
