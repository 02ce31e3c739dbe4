// The attack: somebody who may write to the same folder puts a link at a name while it is being used, so that another
// file is overwritten, or a private file becomes readable. The defence: an exclusive temporary file and one rename. A part
// file that waits to be resumed has a name that can be guessed: only a plain file of this user, without other names, is.
// Paths of UNIX sockets: packages/unix/test/listen/stale-sockets.test.ts.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { chmod, chown, link, lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { saveTo } from '@rxsock/core';
import { lastValueFrom, of, Subject } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
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

describe('a part file that somebody else has planted', () => {
  const OTHERS = 12_345;
  const isRoot = process.getuid?.() === 0;

  /** Makes a victim, plants something that may lead to it, and tries to resume. */
  async function attack(plant: (part: string, victim: string) => unknown) {
    const folder = await testFolder();
    const victim = path.join(folder, 'victim');
    const part = path.join(folder, '.private.resume');
    await writeFile(victim, 'precious');
    await plant(part, victim);
    const before = await lstat(part);
    const source = new Subject<Uint8Array>();
    const { values, ended } = record(source.pipe(saveTo(path.join(folder, 'private'), { resume: true })));
    const { error } = await ended;
    expect(error).toMatchObject({ code: 'ERR_FILE_NOT_RESUMABLE', phase: 'write' });
    expect(String(error)).toContain(part);
    expect(values).toEqual([]);
    expect(await readFile(victim, 'utf8')).toBe('precious');
    expect(await readdir(folder)).toEqual(['.private.resume', 'victim']);
    expect((await lstat(part)).ino).toBe(before.ino);
  }

  test.each<[string, (part: string, victim: string) => unknown]>([
    ['a symbolic link', (part, victim) => symlink(victim, part)],
    ['a link that leads nowhere', (part) => symlink('missing', part)],
    ['a hard link', (part, victim) => link(victim, part)],
    ['a named pipe without a reader', (part) => execFileSync('mkfifo', [part])],
    ['a directory', (part) => mkdir(part)],
  ])('is refused and stays: %s', (_title, plant) => attack(plant));

  test.runIf(isRoot)('is refused and stays: a file of another user', () =>
    attack(async (part) => {
      await writeFile(part, 'poison');
      await chown(part, OTHERS, OTHERS);
    }),
  );

  test.runIf(isRoot)('may belong to the owner of the old file, who has the new one too', async () => {
    const folder = await testFolder();
    const file = path.join(folder, 'private');
    for (const name of [file, path.join(folder, '.private.resume')]) {
      await writeFile(name, 'old ');
      await chown(name, OTHERS, OTHERS);
    }
    await lastValueFrom(of(SECRET).pipe(saveTo(file, { resume: true })));
    expect(await readFile(file, 'utf8')).toBe('old a secret');
    expect((await lstat(file)).uid).toBe(OTHERS);
  });

  test.each<[string, (own: string, victim: string) => void]>([
    ['a symbolic link', (own, victim) => fs.symlinkSync(victim, own)],
    ['a hard link', (own, victim) => fs.linkSync(victim, own)],
    ['a named pipe', (own) => execFileSync('mkfifo', [own])],
  ])('is refused if it takes the place of a good one between check and use: %s', async (_title, plant) => {
    const folder = await testFolder();
    const victim = path.join(folder, 'victim');
    await writeFile(victim, 'precious');
    await writeFile(path.join(folder, '.private.resume'), 'good');
    const rename = fs.renameSync;
    const spy = vi.spyOn(fs, 'renameSync').mockImplementationOnce((from, to) => {
      rename(from, to);
      fs.rmSync(to);
      plant(String(to), victim);
    });
    onTestFinished(() => spy.mockRestore());
    const { ended } = record(new Subject<Uint8Array>().pipe(saveTo(path.join(folder, 'private'), { resume: true })));
    expect((await ended).error).toMatchObject({
      code: expect.stringMatching(/^(ELOOP|ENXIO|ERR_FILE_NOT_RESUMABLE)$/),
    });
    expect(await readFile(victim, 'utf8')).toBe('precious');
  });
});

test('a peer that chooses the name of its file cannot leave the part file of another one', async () => {
  const folder = await testFolder();
  const cut = async (name: string) => {
    const source = new Subject<Uint8Array>();
    const { values, ended } = record(source.pipe(saveTo(path.join(folder, name), { resume: true })));
    await vi.waitUntil(() => values.length === 1);
    const during = await readdir(folder);
    source.next(SECRET);
    source.error('cut');
    await ended;
    return { values, during };
  };
  const { during } = await cut('file');
  const [resuming = ''] = during.filter((name) => name.endsWith('.resuming'));
  // Names like those of the part files of `file`, of this process and of one that was killed.
  const dead = resuming.replace(/-\d+-\d+-/, '-2147483646-1-');
  for (const name of ['.file.resume', '.file', resuming, dead, dead.slice(1), dead.slice(1, -'.resuming'.length)]) {
    expect((await cut(name)).values).toEqual([{ bytesSaved: 0 }]);
  }
  expect((await cut('file')).values).toEqual([{ bytesSaved: SECRET.length }]);
});
