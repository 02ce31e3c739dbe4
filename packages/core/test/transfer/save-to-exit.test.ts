// saveTo(): what stays of a transfer that its process does not finish.
import { readdirSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as core from '@rxsock/core';
import { saveTo } from '@rxsock/core';
import { NEVER, Subject } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { Program } from '../../../../tests/support/program.js';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { names } from '../support/files.js';
import { BYTES, saver } from '../support/saver.js';

describe('a signal', () => {
  test.each<NodeJS.Signals>(['SIGINT', 'SIGTERM', 'SIGHUP'])(
    '%s ends the process as without saveTo(), but the part file is removed',
    async (signal) => {
      const { child, directory } = await saver();
      child.kill(signal);
      expect(await child.exited).toBe(signal);
      expect(await names(directory)).toEqual([]);
    },
  );

  test.each(['completes', 'completes once'])('lets an application continue that %s the transfer', async (how) => {
    const { child, directory, file } = await saver(how, 'SIGINT');
    child.kill('SIGINT');
    expect(await child.exited).toBe(0);
    expect(await names(directory)).toEqual(['file']);
    expect(await readFile(file)).toEqual(BYTES);
  });

  test.each([
    ['exits', 7],
    ['raises again', 'SIGTERM'],
    ['signal-exit 3', 'SIGTERM'],
    ['signal-exit 4', 'SIGTERM'],
  ])('ends an application whose handler is: %s', async (how, exit) => {
    const { child, directory } = await saver(how, 'SIGTERM');
    child.kill('SIGTERM');
    expect(await child.exited).toBe(exit);
    expect(await names(directory)).toEqual([]);
  });
});

describe('the part file is removed when the process', () => {
  test.each([
    ['calls process.exit()', 'exit', '', 7],
    ['throws', 'throw', '', 1],
    ['has nothing left to do', 'run out', '', 0],
    ['throws at exit', 'exit', 'throws at exit', expect.any(Number)],
  ])('%s', async (_, command, how, exit) => {
    const { child, directory } = await saver(how);
    child.stdin.write(command);
    expect(await child.exited).toEqual(exit);
    expect(await names(directory)).toEqual([]);
  });

  test('exits while the file is being opened', async () => {
    const directory = await testFolder();
    const script = `
      import { saveTo } from '@rxsock/core';
      import { NEVER } from 'rxjs';
      NEVER.pipe(saveTo(process.argv[1])).subscribe();
      let turns = Number(process.argv[2]);
      const count = () => (turns-- > 0 ? setImmediate(count) : process.exit(7));
      count();
    `;
    const exits = [0, 1, 2, 3, 4].map((turns) => {
      const args = ['--input-type=module', '--eval', script, path.join(directory, 'file'), String(turns)];
      return new Program(process.execPath, args).exited;
    });
    expect(await Promise.all(exits)).toEqual(exits.map(() => 7));
    expect(await names(directory)).toEqual([]);
  });
});

describe('listeners of the process', () => {
  const count = () => ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map((event) => process.listenerCount(event));

  test('are there once while files are saved, and gone afterwards', async () => {
    const directory = await testFolder();
    const before = count();
    const during = before.map((listeners) => listeners + 1);
    const ends = ['complete', 'error', 'unsubscribe'] as const;
    const saves = ends.map((end) => {
      const source = new Subject<Uint8Array>();
      return { end, source, ...record(source.pipe(saveTo(path.join(directory, end)))) };
    });
    await vi.waitUntil(() => saves.every(({ values }) => values.length === 1));
    for (const { end, source, subscription } of saves) {
      expect(count()).toEqual(during);
      if (end === 'unsubscribe') subscription.unsubscribe();
      else if (end === 'error') source.error(new Error('the source failed'));
      else source.complete();
    }
    await vi.waitUntil(async () => (await names(directory)).every((name) => name === 'complete'));
    await vi.waitUntil(() => String(count()) === String(before));
  });

  test('do not stay if the file cannot be created', async () => {
    const before = count();
    const { ended } = record(NEVER.pipe(saveTo(path.join(await testFolder(), 'missing', 'file'))));
    expect((await ended).error).toMatchObject({ code: 'ENOENT' });
    expect(count()).toEqual(before);
  });

  test('are shared by several copies of this package', async () => {
    const directory = await testFolder();
    const during = count().map((listeners) => listeners + 1);
    vi.resetModules();
    const copy = await import('@rxsock/core');
    expect(copy.saveTo).not.toBe(saveTo);
    const saves = [core, copy].map(({ saveTo }, index) => record(NEVER.pipe(saveTo(path.join(directory, `${index}`)))));
    await vi.waitUntil(() => saves.every(({ values }) => values.length === 1));
    expect(count()).toEqual(during);
    for (const { subscription } of saves) subscription.unsubscribe();
    await vi.waitUntil(async () => (await names(directory)).length === 0);
  });
});

test.skipIf(process.platform !== 'linux')('30 abandoned saves leave no descriptor open', async () => {
  const directory = await testFolder();
  const open = () =>
    readdirSync('/proc/self/fd').filter((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(directory);
      } catch {
        return false; // The descriptor of readdir() itself.
      }
    });
  const source = new Subject<Uint8Array>();
  const saves = Array.from({ length: 30 }, (_, index) =>
    record(source.pipe(saveTo(path.join(directory, String(index))))),
  );
  // Ten before the file is open, ten while it is, and ten during a write.
  for (const { subscription } of saves.splice(0, 10)) subscription.unsubscribe();
  await vi.waitUntil(() => saves.every(({ values }) => values.length === 1));
  expect(open().length).toBeGreaterThanOrEqual(20);
  for (const { subscription } of saves.splice(0, 10)) subscription.unsubscribe();
  source.next(BYTES);
  for (const { subscription } of saves) subscription.unsubscribe();
  await vi.waitUntil(async () => (await names(directory)).length === 0 && open().length === 0);
});
