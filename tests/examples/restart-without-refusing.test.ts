// restart-without-refusing, restarted while clients connect without a pause.
import { expect, test } from 'vitest';
import { needProgram } from '../support/need-program.js';
import { Program } from '../support/program.js';
import { Client, example } from './support.js';

/** What one client receives, and how its connection ended. */
async function ask(port: number, text: string): Promise<string> {
  using client = new Client(port);
  client.socket.end(text);
  const end = await client.ended;
  return `${client.text}${end}`;
}

test('is replaced by a new process, and no client is refused or cut', async () => {
  await using first = example('restart-without-refusing');
  const port = await first.port();
  const answers: string[] = [];
  let stop = false;
  const hammer = async () => {
    while (!stop) answers.push(await ask(port, 'hello\n'));
  };
  const hammers = Array.from({ length: 4 }, hammer);
  await expect.poll(() => answers.length).toBeGreaterThan(20);

  first.kill('SIGHUP');
  const [, second, old] = await first.printed(/^Process (\d+) has taken over from (\d+)\n/m);
  const before = answers.length;
  await expect.poll(() => answers.length).toBeGreaterThan(before + 20);
  stop = true;
  await Promise.all(hammers);

  // The first process has exited. Its output is closed when the second one has exited, too.
  process.kill(Number(second), 'SIGTERM');
  expect(await first.exited).toBe(0);
  expect(first.stderr).toBe('');

  const [mine, theirs] = [`${old}: hello\nfin`, `${second}: hello\nfin`];
  expect(answers.filter((answer) => answer !== mine && answer !== theirs)).toEqual([]);
  expect(answers[0]).toBe(mine);
  expect(answers.at(-1)).toBe(theirs);
});

test('is replaced while nc asks repeatedly and stops at the first refusal', async () => {
  needProgram('nc');
  await using first = example('restart-without-refusing');
  const port = await first.port();
  await using loop = new Program('sh', ['-c', `while echo hello | nc -N 127.0.0.1 ${port}; do :; done`]);
  const [, old] = await loop.printed(/^(\d+): hello\n/);

  process.kill(Number(old), 'SIGHUP');
  const [, second] = await first.printed(new RegExp(`^Process (\\d+) has taken over from ${old}\\n`, 'm'));
  await loop.printed(new RegExp(`^(${old}: hello\\n)+(${second}: hello\\n)`));

  // Now no process answers.
  process.kill(Number(second), 'SIGTERM');
  expect(await first.exited).toBe(0);
  expect(await loop.exited).toBe(0);
});
