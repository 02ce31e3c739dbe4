// saveTo({ removeStale }): which part files are removed.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type SaveToOptions, saveTo } from '@rxsock/core';
import { lastValueFrom, NEVER, of, Subject } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { names } from '../support/files.js';
import { BYTES, saver } from '../support/saver.js';

describe('removeStale', () => {
  /** What a process that was killed has left. */
  async function leftover() {
    const { child, directory, file } = await saver();
    child.kill('SIGKILL');
    await child.exited;
    const [part] = (await names(directory)) as [string];
    const [, host, , start] = /^\.file\.([^-]+)-([^-]+)-([^-]+)-/.exec(part) as string[];
    return { directory, file, part, host, start };
  }
  const save = (file: string, options?: SaveToOptions) => lastValueFrom(of(BYTES).pipe(saveTo(file, options)));

  test('removes what a killed process has left of the same file', async () => {
    const { directory, file, part } = await leftover();
    await save(file);
    expect(await names(directory)).toEqual([part, 'file']);
    await save(file, { removeStale: true });
    expect(await names(directory)).toEqual(['file']);
  });

  test('removes nothing if the save does not begin', async () => {
    const { directory, file, part } = await leftover();
    of(BYTES).pipe(saveTo(file, { removeStale: true }));
    await new Promise(setImmediate);
    expect(await names(directory)).toEqual([part]);
  });

  test('keeps the part files of this process and of another one that runs', async () => {
    const { child, directory, file } = await saver();
    const source = new Subject<Uint8Array>();
    const { values, ended } = record(source.pipe(saveTo(file)));
    await vi.waitUntil(() => values.length === 1);
    await save(file, { removeStale: true });
    expect((await names(directory)).length).toBe(3);
    child.stdin.write('complete');
    expect(await child.exited).toBe(0);
    source.complete();
    expect(await ended).toEqual({});
    expect(await names(directory)).toEqual(['file']);
  });

  test.skipIf(process.platform !== 'linux')('is not deceived by a new process with the same id', async () => {
    const { directory, file, part, host, start } = await leftover();
    await rename(
      path.join(directory, part),
      path.join(directory, `.file.${host}-${process.pid}-${Number(start) - 1}-00000000.part`),
    );
    await save(file, { removeStale: true });
    expect(await names(directory)).toEqual(['file']);
  });

  test('keeps the part files of other hosts and other targets, and whatever only looks like one', async () => {
    const { directory, file, part, host } = await leftover();
    const owner = part.slice('.file.'.length);
    const others = [
      `.file.${'0'.repeat(8)}${owner.slice(8)}`,
      `.elif.${owner}`,
      `.file2.${owner}`,
      `.file.file.${owner}`,
    ];
    const lookalikes = ['.file.backup.part', `.file.${host}-1-0-.part`, `${part}~`];
    for (const name of [...others, ...lookalikes]) await writeFile(path.join(directory, name), '');
    await rename(path.join(directory, part), path.join(directory, part.replace('.file.', '.file3.')));
    await mkdir(path.join(directory, part));
    const before = await names(directory);
    await save(file, { removeStale: true });
    expect(await names(directory)).toEqual([...before, 'file'].sort());
  });

  test('recognises a target with a long name', async () => {
    const { directory, part } = await leftover();
    const name = 'n'.repeat(255);
    const { subscription, values } = record(NEVER.pipe(saveTo(path.join(directory, name))));
    await vi.waitUntil(() => values.length === 1);
    const own = (await names(directory)).find((each) => each !== part) as string;
    subscription.unsubscribe();
    await vi.waitUntil(async () => (await names(directory)).length === 1);
    const label = own.slice(0, own.indexOf('.', 1) + 1);
    await rename(path.join(directory, part), path.join(directory, part.replace('.file.', label)));
    await save(path.join(directory, name), { removeStale: true });
    expect(await names(directory)).toEqual([name]);
  });
});
