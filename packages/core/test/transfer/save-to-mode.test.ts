// saveTo(): the permissions and the owner of the saved file.
import { chmod, chown, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type SaveToOptions, saveTo } from '@rxsock/core';
import { lastValueFrom, of, Subject } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { interceptFs, names } from '../support/files.js';

const BYTES = Buffer.from('bytes');
const OTHERS = { uid: 12_345, gid: 23_456 };
const isRoot = process.getuid?.() === 0;

const octal = (mode: number) => (mode & 0o7777).toString(8);
const save = (file: string, options?: SaveToOptions) => lastValueFrom(of(BYTES).pipe(saveTo(file, options)));
const permissions = async (file: string) => octal((await stat(file)).mode);

/** A file with this mode, and perhaps with other owners. */
async function oldFile(mode: number, owner?: typeof OTHERS): Promise<string> {
  const file = path.join(await testFolder(), 'file');
  await writeFile(file, 'old');
  if (owner) await chown(file, owner.uid, owner.gid);
  await chmod(file, mode);
  return file;
}

/** Sets the umask until the test is over. */
function setUmask(umask: number): void {
  const before = process.umask(umask);
  onTestFinished(() => void process.umask(before));
}

/** Begins to save. Returns the mode of the part file, and a function that completes the save. */
async function begin(file: string, options?: SaveToOptions) {
  const source = new Subject<Uint8Array>();
  const { values, ended } = record(source.pipe(saveTo(file, options)));
  source.next(BYTES);
  await vi.waitUntil(() => values.length === 2);
  const part = (await names(path.dirname(file))).find((name) => name.endsWith('.part')) as string;
  const { mode } = await stat(path.join(path.dirname(file), part));
  const complete = async () => {
    source.complete();
    expect(await ended).toEqual({});
  };
  return { mode, complete };
}

describe('a file that is replaced', () => {
  test.each(['600', '640', '755', '666', '444', '60', '0'])('keeps mode %s, whatever the umask', async (digits) => {
    const mode = Number.parseInt(digits, 8);
    const file = await oldFile(mode);
    setUmask(0o027);
    const saving = await begin(file, { mode: 0o777 });
    expect(octal(saving.mode & ~mode & 0o777)).toBe('0');
    await saving.complete();
    expect(await permissions(file)).toBe(digits);
  });

  test('passes on the mode that it has at the end', async () => {
    const file = await oldFile(0o666);
    const { complete } = await begin(file);
    await chmod(file, 0o640);
    await complete();
    expect(await permissions(file)).toBe('640');
  });

  test('passes on the mode that it had when it is deleted in the meantime', async () => {
    const file = await oldFile(0o640);
    const { complete } = await begin(file);
    await rm(file);
    await complete();
    expect(await permissions(file)).toBe('640');
  });

  test('does not pass on the set-user-ID and set-group-ID bits', async () => {
    const file = await oldFile(0o6755);
    await save(file);
    expect(await permissions(file)).toBe('755');
  });
});

describe.runIf(isRoot)('the owner of a file that is replaced', () => {
  const ownerOf = async (file: string) => {
    const { uid, gid } = await stat(file);
    return { uid, gid };
  };
  const denied = Object.assign(new Error('EPERM: operation not permitted, fchown'), { code: 'EPERM' });

  test('is kept, and gets no permission before it is the owner', async () => {
    const file = await oldFile(0o640, OTHERS);
    const { spy, original } = interceptFs('fchown');
    const modes: string[] = [];
    spy.mockImplementation((descriptor, ...args) => {
      stat(`/proc/self/fd/${descriptor}`).then(({ mode }) => {
        modes.push(octal(mode));
        original(descriptor, ...args);
      });
    });
    await save(file);
    expect(await ownerOf(file)).toEqual(OTHERS);
    expect(await permissions(file)).toBe('640');
    if (process.platform === 'linux') expect(modes).toEqual(['600']);
  });

  test.each([
    ['640', '600'],
    ['664', '644'],
    ['775', '755'],
    ['604', '604'],
  ])('if it cannot be kept, another group does not get the permissions of %s', async (mode, expected) => {
    const file = await oldFile(Number.parseInt(mode, 8), OTHERS);
    interceptFs('fchown').spy.mockImplementation((_descriptor, _uid, _gid, done) => done(denied));
    await save(file);
    expect(await ownerOf(file)).toEqual({ uid: 0, gid: 0 });
    expect(await permissions(file)).toBe(expected);
  });

  test('if only the group can be kept, so is the mode', async () => {
    const file = await oldFile(0o664, OTHERS);
    const { spy, original } = interceptFs('fchown');
    spy.mockImplementation((descriptor, uid, gid, done) =>
      uid === OTHERS.uid ? done(denied) : original(descriptor, uid, gid, done),
    );
    await save(file);
    expect(await ownerOf(file)).toEqual({ uid: 0, gid: OTHERS.gid });
    expect(await permissions(file)).toBe('664');
  });
});

describe('a new file', () => {
  const create = async (options?: SaveToOptions) => {
    const file = path.join(await testFolder(), 'file');
    await save(file, options);
    return permissions(file);
  };

  test.each([
    ['22', '644'],
    ['77', '600'],
  ])('has the mode of every other new file under umask %s', async (umask, expected) => {
    setUmask(Number.parseInt(umask, 8));
    expect(await create()).toBe(expected);
  });

  test.each(['600', '666', '750', '400', '0'])('has exactly the mode %s, if that is given', async (mode) => {
    setUmask(0o077);
    expect(await create({ mode: Number.parseInt(mode, 8) })).toBe(mode);
  });

  test('is never open to more than its mode allows', async () => {
    setUmask(0);
    const saving = await begin(path.join(await testFolder(), 'file'), { mode: 0o640 });
    expect(octal(saving.mode & ~0o640 & 0o777)).toBe('0');
    await saving.complete();
  });
});
