// The attack: somebody who may write to the same folder puts a link at a name while it is being used, so that another
// file is overwritten, or a private file becomes readable. The defence: an exclusive temporary file and one rename.
// Paths of UNIX sockets: packages/unix/test/listen/stale-sockets.test.ts.
import { chmod, lstat, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { saveTo } from '@rxsock/core';
import { Subject } from 'rxjs';
import { expect, test, vi } from 'vitest';
import { record } from '../support/record.js';
import { testFolder } from '../support/temporary-folder.js';

const SECRET = Buffer.from('a secret');

/** Begins to save a private file. */
async function begin() {
  const folder = await testFolder();
  const file = path.join(folder, 'private');
  const source = new Subject<Uint8Array>();
  const { values, ended } = record(source.pipe(saveTo(file, { mode: 0o600 })));
  source.next(SECRET);
  await vi.waitUntil(() => values.length === 2);
  const finish = async () => {
    source.complete();
    expect(await ended).toEqual({});
  };
  return { folder, file, finish };
}

test('a link that appears at the final name during a save is replaced, and its target is not touched', async () => {
  const { folder, file, finish } = await begin();
  const victim = path.join(folder, 'victim');
  await writeFile(victim, 'precious');
  await symlink(victim, file);
  await finish();
  expect(await readFile(victim, 'utf8')).toBe('precious');
  expect((await lstat(file)).isFile()).toBe(true);
  expect(await readFile(file)).toEqual(SECRET);
});

test('a link that appears at the final name does not widen the mode of the saved file', async () => {
  const { folder, file, finish } = await begin();
  const open = path.join(folder, 'open to everybody');
  await writeFile(open, '');
  await chmod(open, 0o666);
  await symlink(open, file);
  await finish();
  expect(((await lstat(file)).mode & 0o777).toString(8)).toBe('600');
});

test.each(['/dev/null', '.'])(
  'a link to %s that appears at the final name does not prevent the save',
  async (target) => {
    const { file, finish } = await begin();
    await symlink(target, file);
    await finish();
    expect(await readFile(file)).toEqual(SECRET);
  },
);

test('the temporary file is private, and its name cannot be guessed', async () => {
  const [one, other] = await Promise.all([begin(), begin()]);
  const names = await Promise.all(
    [one, other].map(async ({ folder }) => {
      const [name = ''] = (await readdir(folder)).filter((each) => each.endsWith('.part'));
      expect(((await lstat(path.join(folder, name))).mode & 0o777).toString(8)).toBe('600');
      return name;
    }),
  );
  expect(names[0]).not.toBe(names[1]);
  await Promise.all([one.finish(), other.finish()]);
});
