// saveTo({ resume }): what a transfer leaves, and what the next one does with it.
import { createHash } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connections, data, listen, on, reader, type SaveToOptions, saveTo, sendFile } from '@rxsock/core';
import { faultyProxy } from '@rxsock/core/testing';
import { defer, firstValueFrom, lastValueFrom, map, mergeMap, of, retry, Subject, tap } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { accepted, dial } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { fileOf, interceptFs, names, sha } from '../support/files.js';
import { BYTES, saver } from '../support/saver.js';

const RESUME = { resume: true };
const OLD = Buffer.from('old ');
const NEW = Buffer.from('new');

/** A folder with what an earlier transfer has left, and the file that it was to be. */
async function leftover(name = 'file') {
  const directory = await testFolder();
  const file = path.join(directory, name);
  const part = path.join(directory, `.${name}.resume`);
  await writeFile(part, OLD);
  return { directory, file, part };
}

/** Begins to save. `source` is taken from the first value on. */
async function begin(file: string, options: SaveToOptions = RESUME) {
  const source = new Subject<Uint8Array>();
  const saving = record(source.pipe(saveTo(file, options)));
  await Promise.race([vi.waitUntil(() => saving.values.length === 1), saving.ended]);
  return { source, ...saving };
}

describe('a transfer that is resumed', () => {
  test('tells first how much is there, and appends', async () => {
    const { directory, file } = await leftover();
    const { source, values, ended } = await begin(file);
    expect(values).toEqual([{ bytesSaved: 4 }]);
    source.next(NEW);
    source.complete();
    expect(await ended).toEqual({});
    expect(values).toEqual([{ bytesSaved: 4 }, { bytesSaved: 7 }]);
    expect(await names(directory)).toEqual(['file']);
    expect(await readFile(file, 'utf8')).toBe('old new');
  });

  test('begins at 0 if nothing is there', async () => {
    const file = path.join(await testFolder(), 'file');
    expect(await firstValueFrom(of(NEW).pipe(saveTo(file, RESUME)))).toEqual({ bytesSaved: 0 });
  });

  test('completes if nothing was missing', async () => {
    const { directory, file } = await leftover();
    expect(await lastValueFrom(of<Uint8Array[]>().pipe(mergeMap(of), saveTo(file, RESUME)))).toEqual({ bytesSaved: 4 });
    expect(await names(directory)).toEqual(['file']);
    expect(await readFile(file)).toEqual(OLD);
  });

  test('leaves the old file alone until it is complete', async () => {
    const { file } = await leftover();
    await writeFile(file, 'before');
    const first = await begin(file);
    first.source.next(NEW);
    first.source.error(new Error('cut'));
    await first.ended;
    expect(await readFile(file, 'utf8')).toBe('before');
    await lastValueFrom(of(NEW).pipe(saveTo(file, RESUME)));
    expect(await readFile(file, 'utf8')).toBe('old newnew');
  });

  test('finds the part file behind a symbolic link', async () => {
    const { directory, file } = await leftover();
    await mkdir(path.join(directory, 'elsewhere'));
    await symlink('../file', path.join(directory, 'elsewhere', 'link'));
    await lastValueFrom(of(NEW).pipe(saveTo(path.join(directory, 'elsewhere', 'link'), RESUME)));
    expect(await readFile(file, 'utf8')).toBe('old new');
  });

  test.each([
    ['ASCII', 'n'.repeat(255)],
    ['Chinese', '語'.repeat(85)],
  ])('may have the longest name that the file system takes: %s', async (_script, name) => {
    const directory = await testFolder();
    const file = path.join(directory, name);
    const { source, ended } = await begin(file);
    source.next(OLD);
    source.error('cut');
    await ended;
    expect((await names(directory)).length).toBe(1);
    await lastValueFrom(of(NEW).pipe(saveTo(file, RESUME)));
    expect(await names(directory)).toEqual([name]);
    expect(await readFile(file, 'utf8')).toBe('old new');
  });

  test('is whole wherever it is cut', async () => {
    const bytes = Buffer.from('every byte of this counts');
    const file = path.join(await testFolder(), 'file');
    const attempt = () => {
      const source = new Subject<Uint8Array>();
      return source.pipe(
        saveTo(file, RESUME),
        tap(({ bytesSaved }) => {
          if (bytesSaved < bytes.length) source.next(bytes.subarray(bytesSaved, bytesSaved + 1));
          else source.complete();
          if (bytesSaved % 3 === 1) source.error(new Error('cut'));
        }),
      );
    };
    await lastValueFrom(defer(attempt).pipe(retry(20)));
    expect(await readFile(file)).toEqual(bytes);
  });

  test('is whole over a connection that is cut again and again, each time after some bytes', async () => {
    const { file, bytes } = await fileOf(3_000_017);
    const copy = path.join(await testFolder(), 'copy');
    const server = listen();
    onTestFinished(() => server.close({ drain: 0 }));
    server
      .pipe(
        connections(),
        mergeMap(async (socket) => {
          const from = Number(await reader(socket).readLine());
          await lastValueFrom(sendFile(socket, file, { from })).catch(() => {});
        }),
      )
      .subscribe();
    const { address } = await firstValueFrom(server.pipe(on('listening')));
    await using proxy = await faultyProxy({
      target: { port: (address as { port: number }).port },
      direction: 'fromTarget',
      resetPeer: { bytes: 700_000 },
    });
    const offsets: number[] = [];
    const download = defer(() => {
      const socket = dial({ port: proxy.port });
      return socket.pipe(
        data(),
        saveTo(copy, RESUME),
        map(({ bytesSaved }, index) => {
          if (index === 0) socket.next(`${offsets[offsets.push(bytesSaved) - 1]}\n`);
          return bytesSaved;
        }),
      );
    });
    expect(await lastValueFrom(download.pipe(retry(50)))).toBe(bytes.length);
    expect(offsets.length).toBeGreaterThan(3);
    expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
    expect(sha(await readFile(copy))).toBe(sha(bytes));
  });
});

describe('the part file is kept', () => {
  const cut = new Error('cut');

  test.each<[string, (begun: Awaited<ReturnType<typeof begin>>) => void, unknown]>([
    ['when the source fails', ({ source }) => source.error(cut), cut],
    ['when a chunk is not bytes', ({ source }) => source.next('text' as never), expect.any(TypeError)],
  ])('%s, and the error is reported after that', async (_title, end, error) => {
    const { directory, file } = await leftover();
    const begun = await begin(file);
    begun.source.next(NEW);
    await vi.waitUntil(() => begun.values.length === 2);
    end(begun);
    expect(await begun.ended).toEqual({ error });
    expect(await names(directory)).toEqual(['.file.resume']);
    expect(await readFile(path.join(directory, '.file.resume'), 'utf8')).toBe('old new');
  });

  test('when the peer resets the connection', async () => {
    const { directory, file } = await leftover();
    const { socket, peer } = await accepted();
    const { ended, values } = record(socket.pipe(data(), saveTo(file, RESUME)));
    peer.write(NEW);
    await vi.waitUntil(() => values.at(-1)?.bytesSaved === 7);
    peer.resetAndDestroy();
    expect((await ended).error).toMatchObject({ code: 'ECONNRESET' });
    expect(await names(directory)).toEqual(['.file.resume']);
  });

  test('on unsubscription, also while a write is in progress', async () => {
    const { directory, file, part } = await leftover();
    const { spy, original } = interceptFs('writev');
    let write = () => {};
    spy.mockImplementation((...args) => {
      write = () => original(...args);
    });
    const { source, subscription } = await begin(file);
    source.next(NEW);
    await vi.waitUntil(() => spy.mock.calls.length === 1);
    subscription.unsubscribe();
    write();
    await vi.waitUntil(async () => String(await names(directory)) === '.file.resume');
    expect(await readFile(part, 'utf8')).toBe('old new');
  });

  test('when the disk is full, with what there was room for', async () => {
    const { directory, file } = await leftover();
    const full = await open('/dev/full', 'w');
    const { spy, original } = interceptFs('writev');
    spy.mockImplementationOnce((fd, [chunk], done) => original(fd, [(chunk as Buffer).subarray(0, 2)], done));
    spy.mockImplementationOnce((_fd, ...args) => original(full.fd, ...args));
    const { source, ended } = await begin(file);
    source.next(NEW);
    expect((await ended).error).toMatchObject({ code: 'ENOSPC' });
    await full.close();
    expect(await names(directory)).toEqual(['.file.resume']);
    expect((await begin(file)).values).toEqual([{ bytesSaved: 6 }]);
  });

  test('while its bytes go to the disk, and this user may still write it', async () => {
    const { directory, file, part } = await leftover();
    const { spy, original } = interceptFs('fsync');
    spy.mockImplementation((...args) => {
      subscription.unsubscribe();
      original(...args);
    });
    const { subscription } = record(of(NEW).pipe(saveTo(file, { resume: true, mode: 0o040 })));
    await vi.waitUntil(async () => spy.mock.calls.length === 1 && String(await names(directory)) === '.file.resume');
    expect(((await stat(part)).mode & 0o777).toString(8)).toBe('640');
  });

  test('when a signal ends the process', async () => {
    const { child, directory } = await saver('resumes');
    child.kill('SIGTERM');
    expect(await child.exited).toBe('SIGTERM');
    expect(await names(directory)).toEqual(['.file.resume']);
  });

  test('when the process exits', async () => {
    const { child, directory } = await saver('resumes');
    child.stdin.write('exit');
    expect(await child.exited).toBe(7);
    expect(await names(directory)).toEqual(['.file.resume']);
  });

  test('when the process is killed, and the next transfer finds it', async () => {
    const { child, directory, file } = await saver('resumes');
    child.kill('SIGKILL');
    await child.exited;
    expect(await names(directory)).toEqual([expect.stringMatching(/\.resuming$/)]);
    expect((await begin(file, { resume: true, removeStale: true })).values).toEqual([{ bytesSaved: BYTES.length }]);
  });
});

describe('the part file is not kept', () => {
  test('when it is empty', async () => {
    const directory = await testFolder();
    const { source, ended } = await begin(path.join(directory, 'file'));
    source.error('cut');
    expect(await ended).toEqual({ error: 'cut' });
    expect(await names(directory)).toEqual([]);
  });

  test('when its name has become that of a directory: otherwise it would be in use for ever', async () => {
    const { directory, file, part } = await leftover();
    const { source, ended } = await begin(file);
    await mkdir(path.join(part, 'full'), { recursive: true });
    source.error('cut');
    expect(await ended).toEqual({ error: 'cut' });
    expect(await names(directory)).toEqual(['.file.resume']);
  });
});

describe('without resume', () => {
  test('it is neither used nor touched', async () => {
    const { directory, file } = await leftover();
    await lastValueFrom(of(NEW).pipe(saveTo(file)));
    expect(await readFile(file)).toEqual(NEW);
    expect(await names(directory)).toEqual(['.file.resume', 'file']);
  });

  test('neither is what a killed process leaves, nor is that resumed', async () => {
    const { child, directory, file } = await saver('resumes');
    child.kill('SIGKILL');
    await child.exited;
    const [resuming] = (await names(directory)) as [string];
    const stale = resuming.replace(/resuming$/, 'part');
    await rename(path.join(directory, resuming), path.join(directory, stale));
    expect(await firstValueFrom(of(NEW).pipe(saveTo(file, RESUME)))).toEqual({ bytesSaved: 0 });
    await vi.waitUntil(async () => (await names(directory)).includes('.file.resume'));

    // removeStale knows which is which.
    const { source, ended } = await begin(file, { resume: true, removeStale: true });
    await writeFile(path.join(directory, resuming), OLD);
    source.error('cut');
    await ended;
    expect(await names(directory)).toEqual([resuming, '.file.resume'].sort());
    await lastValueFrom(of(NEW).pipe(saveTo(file, { removeStale: true })));
    expect(await names(directory)).toEqual(['file']);
  });
});

describe('only one transfer at a time', () => {
  test.each([true, false])('has the part file, if there is one: %s', async (isLeft) => {
    const { directory, file, part } = await leftover();
    if (!isLeft) await rename(part, path.join(directory, 'other'));
    const all = await Promise.all(Array.from({ length: 100 }, () => begin(file)));
    const [first, ...more] = all.filter(({ values }) => values.length === 1);
    expect(more).toEqual([]);
    for (const { ended, values } of all) {
      if (values.length === 0) expect((await ended).error).toMatchObject({ code: 'ERR_FILE_IN_USE', phase: 'write' });
    }
    first?.source.next(NEW);
    first?.source.complete();
    await first?.ended;
    expect(await readFile(file, 'utf8')).toBe(isLeft ? 'old new' : 'new');
  });

  test('has it, also if the other one is in another process', async () => {
    const { child, file } = await saver('resumes');
    const { ended } = await begin(file);
    expect((await ended).error).toMatchObject({ code: 'ERR_FILE_IN_USE' });
    expect(String((await ended).error)).toMatch(/another transfer has its part file .*\.resuming: wait/);
    child.stdin.write('complete');
    expect(await child.exited).toBe(0);
    expect(await readFile(file)).toEqual(BYTES);
  });

  test('has it, but one without resume goes on beside it', async () => {
    const { file } = await leftover();
    const { source, ended } = await begin(file);
    await lastValueFrom(of(NEW).pipe(saveTo(file)));
    source.next(NEW);
    source.complete();
    expect(await ended).toEqual({});
    expect(await readFile(file, 'utf8')).toBe('old new');
  });

  test('waits for one that was unsubscribed: its last bytes are there', async () => {
    const { file } = await leftover();
    const { spy, original } = interceptFs('writev');
    let write = () => {};
    spy.mockImplementationOnce((...args) => {
      write = () => original(...args);
    });
    const { source, subscription } = await begin(file);
    source.next(NEW);
    await vi.waitUntil(() => spy.mock.calls.length === 1);
    subscription.unsubscribe();
    const next = record(new Subject<Uint8Array>().pipe(saveTo(file, RESUME)));
    const abandoned = record(new Subject<Uint8Array>().pipe(saveTo(file, RESUME)));
    next.subscription.unsubscribe();
    abandoned.subscription.unsubscribe();
    const last = begin(file);
    write();
    expect((await last).values).toEqual([{ bytesSaved: 7 }]);
    expect(next.log).toEqual([]);
  });
});

describe('the permissions of a part file', () => {
  const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);
  const partOf = async (directory: string) =>
    path.join(directory, (await names(directory)).find((name) => name.startsWith('.')) as string);

  test.each([
    [0o600, '600'],
    [0o640, '640'],
    [0o440, '640'],
    [0, '600'],
  ])('are those of mode %i, and those that its owner needs to resume it', async (mode, expected) => {
    const directory = await testFolder();
    const file = path.join(directory, 'file');
    const { source, ended } = await begin(file, { resume: true, mode });
    source.next(NEW);
    expect(await modeOf(await partOf(directory))).toBe(expected);
    source.error('cut');
    await ended;
    expect(await modeOf(await partOf(directory))).toBe(expected);
    await lastValueFrom(of(NEW).pipe(saveTo(file, { resume: true, mode })));
    expect(await modeOf(file)).toBe(mode.toString(8));
  });

  test('are reduced to what this transfer allows', async () => {
    const { directory, file, part } = await leftover();
    await chmod(part, 0o644);
    await begin(file, { resume: true, mode: 0o640 });
    expect(await modeOf(await partOf(directory))).toBe('640');
  });

  test.each([0o666, 0o620])('must let nobody else write: %i', async (mode) => {
    const { directory, file, part } = await leftover();
    await chmod(part, mode);
    const { error } = await record(of(NEW).pipe(saveTo(file, { resume: true, mode: 0o666 }))).ended;
    expect(error).toMatchObject({ code: 'ERR_FILE_NOT_RESUMABLE', message: expect.stringContaining('other users') });
    expect(await names(directory)).toEqual(['.file.resume']);
  });

  test('let nobody else write before the file is complete', async () => {
    const directory = await testFolder();
    const file = path.join(directory, 'file');
    for (const end of ['cut', 'cut again']) {
      const { source, ended } = await begin(file, { resume: true, mode: 0o666 });
      source.next(NEW);
      expect(await modeOf(await partOf(directory))).toBe('644');
      source.error(end);
      await ended;
      expect(await modeOf(await partOf(directory))).toBe('644');
    }
    await lastValueFrom(of(NEW).pipe(saveTo(file, { resume: true, mode: 0o666 })));
    expect(await modeOf(file)).toBe('666');
  });

  test('are those of the file that it replaces, for its owner', async () => {
    const { directory, file, part } = await leftover();
    await chmod(part, 0o644);
    await writeFile(file, '');
    await chmod(file, 0o444);
    const { source, ended } = await begin(file);
    expect(await modeOf(await partOf(directory))).toBe('600');
    source.complete();
    await ended;
    expect(await modeOf(file)).toBe('444');
  });
});

test('a part file that cannot be opened stays where it is', async () => {
  const { directory, file } = await leftover();
  const { spy, original } = interceptFs('openSync');
  spy.mockImplementation((name, ...args) => {
    if (!String(name).endsWith('.resuming')) return original(name, ...args);
    throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
  });
  const { ended } = await begin(file);
  expect((await ended).error).toMatchObject({ code: 'EMFILE', phase: 'write' });
  expect(await names(directory)).toEqual(['.file.resume']);
});

test('two names cannot have the same part file: a long one, and one like its digest', async () => {
  const directory = await testFolder();
  const long = 'n'.repeat(200);
  const names = [long, createHash('sha256').update(long).digest('hex')].map((name) => path.join(directory, name));
  for (const file of names) {
    const { source, values, ended } = await begin(file);
    expect(values).toEqual([{ bytesSaved: 0 }]);
    source.next(NEW);
    source.error('cut');
    await ended;
  }
});
