// singleInstance() across processes: of many that start at the same moment, one is the first, and it may die at any
// time.
import { type ChildProcess, fork } from 'node:child_process';
import { type InstanceEvent, singleInstance } from '@rxsock/core/process';
import { expect, onTestFinished, test } from 'vitest';
import { instancePort, killChild, nextMessage, program } from '../../../../tests/support/processes/index.js';
import { record } from '../../../../tests/support/record.js';

interface Outcome {
  readonly code?: string;
  readonly delivered?: boolean;
  readonly pid?: number;
}

function startInstance(port: number, ...args: string[]): ChildProcess {
  const child = fork(program('instance'), [String(port), ...args]);
  onTestFinished(() => killChild(child));
  return child;
}

test('exactly one of ten processes that start at the same moment is the first, and it gets the arguments of all others', async () => {
  const port = await instancePort();
  const names = Array.from('abcdefghij');
  const all = names.map((name) => startInstance(port, name));
  expect(await Promise.all(all.map(nextMessage))).toEqual(names.map(() => 'here'));
  for (let round = 0; round < 10; round++) {
    const outcomes = Promise.all(all.map(nextMessage));
    for (const child of all) child.send('try');
    const answers = (await outcomes) as (Outcome | 'first')[];
    const first = answers.indexOf('first');
    const winner = all[first] as ChildProcess;
    const error = { code: 'ERR_ALREADY_RUNNING', delivered: true, pid: winner.pid };
    expect(answers).toEqual(names.map((_, index) => (index === first ? 'first' : error)));
    const received = nextMessage(winner);
    winner.send('let go');
    const launches = ((await received) as { args: string[]; pid: number }[]).sort((a, b) => (a.args < b.args ? -1 : 1));
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
  const first = startInstance(port, 'first');
  await nextMessage(first);
  first.send('try');
  expect(await nextMessage(first)).toBe('first');
  await killChild(first);
  const second = record<InstanceEvent>(singleInstance({ name: 'contest', port }));
  onTestFinished(() => second.subscription.unsubscribe());
  await expect.poll(() => second.log).toEqual(['acquired']);
});

test('one of two workers of a cluster is the first', async () => {
  const primary = startInstance(await instancePort(), 'cluster', 'cluster');
  const messages: (Outcome | string)[] = [];
  primary.on('message', (message: Outcome | string) => messages.push(message));
  await expect.poll(() => messages).toEqual(['here', 'here']);
  primary.send('try');
  await expect.poll(() => messages).toHaveLength(4);
  expect(messages.slice(2)).toContainEqual('first');
  expect(messages.slice(2)).toContainEqual(expect.objectContaining({ code: 'ERR_ALREADY_RUNNING', delivered: true }));
});
