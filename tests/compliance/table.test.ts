// The table in the docs matches these behaviours and these transports.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { topics } from './behaviours/index.js';
import { COMMAND, table } from './support/table.js';
import { transports } from './transports/index.js';

const document = readFileSync(new URL('../../docs/compliance.md', import.meta.url), 'utf8');

test('docs/compliance.md is up to date', () => {
  expect(document, `Make it again: ${COMMAND}`).toBe(table(() => true));
});

test('no two behaviours of a topic, no two topics and no two transports have the same name', () => {
  const names = [topics.map(({ title }) => title), transports.map(({ name }) => name)];
  for (const { behaviours } of topics) names.push(behaviours.map(({ name }) => name));
  for (const all of names) expect(new Set(all).size).toBe(all.length);
});

test('every transport is run', () => {
  const here = new URL('./', import.meta.url);
  const files = readdirSync(here).filter((name) => name.endsWith('.test.ts'));
  const run = files.filter((name) => /^comply\(/m.test(readFileSync(new URL(name, here), 'utf8')));
  expect(run).toHaveLength(transports.length);
});
