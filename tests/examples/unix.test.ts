// The daemon with a control socket: with its own client, with nc, and after a daemon that was killed.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { example } from './support.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = path.join(folder.path, 'control.sock');
});
afterEach(() => folder[Symbol.asyncDispose]());

async function start() {
  const daemon = example('unix-control-server', file);
  await daemon.printed(/^Listening on .*control\.sock\n$/);
  return daemon;
}

test('reports its status to unix-control, and stops on request', async () => {
  await using daemon = await start();
  await using status = example('unix-control', file, 'status');
  expect(await status.exited).toBe(0);
  expect(status.stdout).toMatch(/^running for \d+ s as process \d+\n$/);

  await using stop = example('unix-control', file, 'stop');
  expect(await stop.exited).toBe(0);
  expect(stop.stdout).toBe('stopping\n');
  expect(await daemon.exited).toBe(0);
  expect(daemon.stderr + status.stderr + stop.stderr).toBe('');
  expect(await readdir(folder.path)).toEqual([]);
});

test('obeys nc, one line after another', async () => {
  await using daemon = await start();

  const { stdout } = await run('nc', ['-N', '-U', file], 'status\r\nmake coffee\n');

  expect(stdout).toMatch(/^running for .*\nunknown command: make coffee; use status or stop\n$/);
  expect(await daemon.interrupt()).toBe(0);
  expect(await readdir(folder.path)).toEqual([]);
});

test('replaces a daemon that was killed, but not one that runs', async () => {
  await using first = await start();
  first.kill('SIGKILL');
  await first.exited;
  expect(await readdir(folder.path)).toEqual(['control.sock']);

  await using second = await start();
  await using third = example('unix-control-server', file);
  expect(await third.exited).toBe(1);
  expect(third.stderr).toMatch(/^Cannot listen on .*control\.sock: something is already there; .*\n$/);
  await using status = example('unix-control', file, 'status');
  expect(await status.exited).toBe(0);
  expect(await second.interrupt()).toBe(0);
});

test('unix-control reports in one line that there is no daemon', async () => {
  await using control = example('unix-control', file, 'status');

  expect(await control.exited).toBe(1);
  expect(control.stderr).toBe(`Cannot connect to ${file}: nothing is there: start its server first\n`);
  expect(control.stdout).toBe('');
});
