// saveTo(): paths and disks that cannot be written.
import { chmod, open, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { data, SocketError, saveTo } from '@rxsock/core';
import { lastValueFrom, of, Subject } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { accepted } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { fileOf, interceptFs, interceptHandles, names, sha } from '../support/files.js';

const CHUNK = Buffer.alloc(65_536, 'x');

/** Saves to a path that cannot be written. Returns the error. */
async function fails(file: string): Promise<SocketError> {
  const source = new Subject<Uint8Array>();
  const { ended } = record(source.pipe(saveTo(file)));
  const { error } = await ended;
  expect(source.observed).toBe(false);
  expect(error).toBeInstanceOf(SocketError);
  return error as SocketError;
}

describe('fails for a disk error:', () => {
  test('a directory that does not exist', async () => {
    const error = await fails(path.join(await testFolder(), 'missing', 'file'));
    expect(error).toMatchObject({ code: 'ENOENT', phase: 'write' });
    expect(error.message).toMatch(/missing.*check the path/);
  });

  test('a file in place of a directory', async () => {
    const file = path.join(await testFolder(), 'file');
    await writeFile(file, '');
    expect(await fails(path.join(file, 'file'))).toMatchObject({ code: 'ENOTDIR', phase: 'write' });
  });

  test("a directory with the file's name", async () => {
    const directory = await testFolder();
    expect(await fails(directory)).toMatchObject({ code: 'EISDIR', phase: 'write' });
    expect(await names(directory)).toEqual([]);
  });

  test.each(['new/', 'precious/', 'precious/.', 'precious/..', 'dangling', '.', '..', ''])(
    'a path that can only be that of a directory: %j',
    async (end) => {
      const directory = await testFolder();
      await writeFile(path.join(directory, 'precious'), 'old');
      await symlink('target/', path.join(directory, 'dangling'));
      expect(await fails(`${directory}/${end}`)).toMatchObject({ code: 'EISDIR', phase: 'write' });
      expect(await names(directory)).toEqual(['dangling', 'precious']);
      expect(await readFile(path.join(directory, 'precious'), 'utf8')).toBe('old');
    },
  );

  test("a device with the file's name, which stays", async () => {
    expect(await fails('/dev/null')).toMatchObject({ code: 'ERR_FILE_NOT_REGULAR', phase: 'write' });
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  test('a directory without write permission', async () => {
    // Root may write where others may not, but not here.
    const protectedFolder = process.getuid?.() === 0 ? '/proc' : await testFolder();
    if (protectedFolder !== '/proc') await chmod(protectedFolder, 0o500);
    expect((await fails(path.join(protectedFolder, 'file'))).code).toMatch(/^(EACCES|EPERM|ENOENT)$/);
  });

  test('a symbolic link to a directory that does not exist, and a circle of links', async () => {
    const directory = await testFolder();
    await symlink('missing/file', path.join(directory, 'link'));
    await symlink('circle', path.join(directory, 'circle'));
    expect(await fails(path.join(directory, 'link'))).toMatchObject({ code: 'ENOENT', phase: 'write' });
    expect(await fails(path.join(directory, 'circle'))).toMatchObject({ code: 'ELOOP', phase: 'write' });
  });

  test("the folder's entry cannot be flushed: the file is there, but may be gone after a power failure", async () => {
    const file = path.join(await testFolder(), 'file');
    const { spy } = await interceptHandles('sync');
    spy.mockRejectedValueOnce(Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' }));
    const { ended } = record(of(CHUNK).pipe(saveTo(file)));
    expect((await ended).error).toMatchObject({ code: 'EIO', phase: 'write' });
    expect((await stat(file)).size).toBe(CHUNK.length);
  });

  test('a disk that becomes full, after which the socket is left', async () => {
    const directory = await testFolder();
    const full = await open('/dev/full', 'w');
    const { spy, original } = interceptFs('writev');
    let writes = 0;
    spy.mockImplementation((fd, ...args) => original(++writes > 1 ? full.fd : fd, ...args));
    const { socket, peer } = await accepted();
    const { ended, values } = record(socket.pipe(data(), saveTo(path.join(directory, 'file'))));
    const feed = (): boolean => peer.write(CHUNK, (error) => error ?? feed());
    feed();
    const { error } = await ended;
    await full.close();
    expect(error).toMatchObject({ code: 'ENOSPC', phase: 'write' });
    expect((error as Error).message).toMatch(/the disk is full/);
    expect(values.length).toBe(2);
    expect(await names(directory)).toEqual([]);
    await vi.waitUntil(() => socket.readyState === 'closing' || socket.readyState === 'closed');
  });

  test('a disk that takes only a part of a write gets the rest afterwards', async () => {
    const { bytes } = await fileOf(100_000);
    const file = path.join(await testFolder(), 'file');
    const { spy, original } = interceptFs('writev');
    spy.mockImplementation((fd, chunks, done) => {
      const [first, ...rest] = chunks as [Uint8Array, ...Uint8Array[]];
      const some = rest.length > 0 ? [first, ...rest.slice(0, -1)] : [first.subarray(0, Math.ceil(first.length / 2))];
      original(fd, some, done);
    });
    await lastValueFrom(of(bytes.subarray(0, 5), bytes.subarray(5, 70_000), bytes.subarray(70_000)).pipe(saveTo(file)));
    expect(sha(await readFile(file))).toBe(sha(bytes));
  });
});

test('completes on a file system that cannot flush folders', async () => {
  const file = path.join(await testFolder(), 'file');
  const { spy } = await interceptHandles('sync');
  spy.mockRejectedValueOnce(Object.assign(new Error('EINVAL: invalid argument, fsync'), { code: 'EINVAL' }));
  expect(await lastValueFrom(of(CHUNK).pipe(saveTo(file)))).toEqual({ bytesSaved: CHUNK.length });
  expect(spy).toHaveBeenCalledTimes(1);
});

test('rejects what is not the name of a file, at the call', () => {
  for (const file of ['', 'a\0b', null, undefined, 1, Buffer.from('file'), new URL('http://host/file')]) {
    expect(() => saveTo(file as never)).toThrow(TypeError);
  }
});

test.each(['a line', '', null, undefined, 1, {}, [1, 2], Uint16Array.of(1, 2, 3), new ArrayBuffer(2)])(
  'fails for a chunk that is not bytes, and saves nothing: %o',
  async (chunk) => {
    const directory = await testFolder();
    const source = new Subject<Uint8Array>();
    const { ended } = record(source.pipe(saveTo(path.join(directory, 'file'))));
    source.next(Buffer.from('before'));
    source.next(chunk as never);
    const { error } = await ended;
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(/^The chunk must be a Uint8Array .*encode\(\)/);
    expect(source.observed).toBe(false);
    expect(await names(directory)).toEqual([]);
  },
);
