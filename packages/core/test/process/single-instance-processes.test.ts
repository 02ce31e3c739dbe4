// singleInstance() among processes: of many at the same moment one is the first, and it may die at any time.
import { type ChildProcess, fork } from 'node:child_process';
import { type InstanceEvent, singleInstance } from '@rxsock/core';
import { expect, onTestFinished, test } from 'vitest';
import { exited, instancePort, program, said } from '../../../../tests/support/processes/index.js';
import { record } from '../../../../tests/support/record.js';

interface Outcome {
  readonly code?: string;
  readonly delivered?: boolean;
  readonly pid?: number;
}

function contestant(port: number, ...args: string[]): ChildProcess {
  const child = fork(program('contestant'), [String(port), ...args]);
  onTestFinished(() => exited(child));
  return child;
}

test('of ten that try at the same moment exactly one is the first, and it gets the arguments of all others', async () => {
  const port = await instancePort();
  const names = Array.from('abcdefghij');
  const all = names.map((name) => contestant(port, name));
  expect(await Promise.all(all.map(said))).toEqual(names.map(() => 'here'));
  for (let round = 0; round < 10; round++) {
    const outcomes = Promise.all(all.map(said));
    for (const child of all) child.send('try');
    const answers = (await outcomes) as (Outcome | 'first')[];
    const first = answers.indexOf('first');
    const winner = all[first] as ChildProcess;
    const error = { code: 'ERR_ALREADY_RUNNING', delivered: true, pid: winner.pid };
    expect(answers).toEqual(names.map((_, index) => (index === first ? 'first' : error)));
    const told = said(winner);
    winner.send('let go');
    const launches = ((await told) as { args: string[]; pid: number }[]).sort((a, b) => (a.args < b.args ? -1 : 1));
    const others = names.map((name, index) => ({
      type: 'launch',
      args: [name],
      cwd: process.cwd(),
      pid: all[index]?.pid,
    }));
    expect(launches).toEqual(others.filter((_, index) => index !== first));
  }
}, 60_000);

test('a first instance that is killed leaves nothing behind', async () => {
  const port = await instancePort();
  const first = contestant(port, 'first');
  await said(first);
  first.send('try');
  expect(await said(first)).toBe('first');
  await exited(first);
  const second = record<InstanceEvent>(singleInstance({ name: 'contest', port }));
  onTestFinished(() => second.subscription.unsubscribe());
  await expect.poll(() => second.log).toEqual(['acquired']);
});

test('of two workers of a cluster, too, one is the first', async () => {
  const primary = contestant(await instancePort(), 'cluster', 'cluster');
  const heard: (Outcome | string)[] = [];
  primary.on('message', (message: Outcome | string) => heard.push(message));
  await expect.poll(() => heard).toEqual(['here', 'here']);
  primary.send('try');
  await expect.poll(() => heard).toHaveLength(4);
  expect(heard.slice(2)).toContainEqual('first');
  expect(heard.slice(2)).toContainEqual(expect.objectContaining({ code: 'ERR_ALREADY_RUNNING', delivered: true }));
});
