// saveTo(): a whole file under the final name, or nothing.
import { chmod, mkdir, open, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { connections, data, flowFrom, listen, on, SocketError, saveTo, sendFile } from '@rxsock/core';
import { firstValueFrom, lastValueFrom, mergeMap, Observable, of, Subject, tap, throwError, toArray } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { accepted, dial, pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { fileOf, type Handle, interceptHandles, names, sha } from '../support/files.js';

const CHUNK = Buffer.alloc(65_536, 'x');

describe('the saved file', () => {
  test('contains what was sent: 64 MiB from file to file', async () => {
    const { file, bytes } = await fileOf(64 * 1024 * 1024 + 1);
    const directory = await testFolder();
    const copy = path.join(directory, 'copy');
    const server = listen();
    const saving = lastValueFrom(
      server.pipe(
        tap((event) => {
          if (event.type !== 'listening') return;
          const { port } = event.address as { port: number };
          lastValueFrom(sendFile(dial({ port }), file)).catch(() => {});
        }),
        connections(),
        mergeMap((socket) => socket.pipe(data(), saveTo(copy), tap({ complete: () => void server.close() }))),
      ),
    );
    expect(await saving).toEqual({ bytesSaved: bytes.length });
    expect(await names(directory)).toEqual(['copy']);
    expect(sha(await readFile(copy))).toBe(sha(bytes));
  });

  test('replaces the old file in one step, at the end', async () => {
    const directory = await testFolder();
    const file = path.join(directory, 'file');
    await writeFile(file, 'old');
    const source = new Subject<Uint8Array>();
    const { values, ended } = record(source.pipe(saveTo(pathToFileURL(file))));
    await vi.waitUntil(() => values.length === 1);
    source.next(Buffer.from('new'));
    await vi.waitUntil(() => values.length === 2);
    expect(await readFile(file, 'utf8')).toBe('old');
    const [part] = await names(directory);
    expect(part).toMatch(/^\..*\.part$/);
    expect(await readFile(path.join(directory, part as string), 'utf8')).toBe('new');
    source.complete();
    await ended;
    expect(await names(directory)).toEqual(['file']);
    expect(await readFile(file, 'utf8')).toBe('new');
    expect(values).toEqual([{ bytesSaved: 0 }, { bytesSaved: 3 }]);
  });

  test('may be empty', async () => {
    const file = path.join(await testFolder(), 'file');
    expect(
      await lastValueFrom(
        of<Uint8Array[]>().pipe(
          mergeMap((chunk) => chunk),
          saveTo(file),
        ),
      ),
    ).toEqual({ bytesSaved: 0 });
    expect((await stat(file)).size).toBe(0);
  });

  test('is whole with chunks of any size, empty ones included', async () => {
    const { bytes } = await fileOf(300_000);
    const file = path.join(await testFolder(), 'file');
    const chunks: Buffer[] = [];
    for (let at = 0, size = 0; at < bytes.length; at += size, size = (size * 7 + 3) % 1_021) {
      chunks.push(bytes.subarray(at, at + size));
    }
    await lastValueFrom(of(...chunks).pipe(saveTo(file)));
    expect(sha(await readFile(file))).toBe(sha(bytes));
  });

  test('is flushed to the disk before it gets its name', async () => {
    const directory = await testFolder();
    const { spy, original } = await interceptHandles('datasync');
    const seen: string[][] = [];
    spy.mockImplementation(async function (this: Handle) {
      seen.push(await names(directory));
      return original.call(this);
    });
    await lastValueFrom(of(CHUNK).pipe(saveTo(path.join(directory, 'file'))));
    expect(seen).toEqual([[expect.stringMatching(/\.part$/)]]);
  });

  test('is written where a symbolic link points', async () => {
    const directory = await testFolder();
    await mkdir(path.join(directory, 'elsewhere'));
    await writeFile(path.join(directory, 'elsewhere', 'file'), 'old');
    await symlink('elsewhere/file', path.join(directory, 'link'));
    await lastValueFrom(of(Buffer.from('new')).pipe(saveTo(path.join(directory, 'link'))));
    expect(await names(directory)).toEqual(['elsewhere', 'link']);
    expect(await readFile(path.join(directory, 'elsewhere', 'file'), 'utf8')).toBe('new');
  });
});

describe('nothing is left behind', () => {
  test('when the source fails, and the error is reported after that', async () => {
    const directory = await testFolder();
    const error = new Error('the source failed');
    const source = new Subject<Uint8Array>();
    const saving = record(source.pipe(saveTo(path.join(directory, 'file'))));
    source.next(CHUNK);
    await vi.waitUntil(() => saving.values.length === 2);
    source.error(error);
    expect(await saving.ended).toEqual({ error });
    expect(await names(directory)).toEqual([]);
  });

  test('when the source fails at once', async () => {
    const directory = await testFolder();
    const { ended } = record(throwError(() => 'at once').pipe(saveTo(path.join(directory, 'file'))));
    expect(await ended).toEqual({ error: 'at once' });
    expect(await names(directory)).toEqual([]);
  });

  test.each(['resets', 'is cut off by its own side'])('when the connection %s', async (end) => {
    const directory = await testFolder();
    const { socket, peer } = await accepted();
    const { ended, values } = record(socket.pipe(data(), saveTo(path.join(directory, 'file'))));
    peer.write(CHUNK);
    await vi.waitUntil(() => values.at(-1)?.bytesSaved === CHUNK.length);
    if (end === 'resets') peer.resetAndDestroy();
    else socket.error();
    expect((await ended).error).toBeInstanceOf(SocketError);
    expect(await names(directory)).toEqual([]);
  });

  test('when a transfer into it is cut half-way: no end, and no file', async () => {
    const { file } = await fileOf(64 * CHUNK.length);
    const directory = await testFolder();
    const server = listen();
    const saving = server.pipe(
      connections(),
      mergeMap((socket) => socket.pipe(data(), saveTo(path.join(directory, 'file')), toArray())),
    );
    const { ended } = record(saving);
    const { address } = await firstValueFrom(server.pipe(on('listening')));
    const { subscription } = record(
      sendFile(dial({ port: (address as { port: number }).port }), file, { chunkSize: CHUNK.length }).pipe(
        tap(({ bytesSent }) => bytesSent === 5 * CHUNK.length && queueMicrotask(() => subscription.unsubscribe())),
      ),
    );
    expect((await ended).error).toMatchObject({ name: 'ResetError', code: 'ECONNRESET' });
    expect(await names(directory)).toEqual([]);
  });

  test('on unsubscription', async () => {
    const directory = await testFolder();
    const file = path.join(directory, 'file');
    const source = new Subject<Uint8Array>();
    const { subscription, values } = record(source.pipe(saveTo(file)));
    source.next(CHUNK);
    await vi.waitUntil(() => values.length === 2);
    subscription.unsubscribe();
    expect(source.observed).toBe(false);
    await vi.waitUntil(async () => (await names(directory)).length === 0);
  });

  test('on unsubscription while the last bytes go to the disk', async () => {
    const directory = await testFolder();
    const { spy, original } = await interceptHandles('datasync');
    spy.mockImplementation(function (this: Handle) {
      subscription.unsubscribe();
      return original.call(this);
    });
    const { subscription, log } = record(of(CHUNK).pipe(saveTo(path.join(directory, 'file'))));
    await vi.waitUntil(async () => spy.mock.calls.length === 1 && (await names(directory)).length === 0);
    expect(log).not.toContain('complete');
  });
});

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

  test('a disk that becomes full, after which the socket is left', async () => {
    const directory = await testFolder();
    const full = await open('/dev/full', 'w');
    const { spy, original } = await interceptHandles('writev');
    let writes = 0;
    spy.mockImplementation(function (this: Handle, ...args: unknown[]) {
      return original.apply(++writes > 1 ? full : this, args as never[]);
    });
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
    const { spy, original } = await interceptHandles('writev');
    spy.mockImplementation(function (this: Handle, chunks: unknown) {
      const [first, ...rest] = chunks as [Uint8Array, ...Uint8Array[]];
      const some = rest.length > 0 ? [first, ...rest.slice(0, -1)] : [first.subarray(0, Math.ceil(first.length / 2))];
      return original.apply(this, [some] as never[]);
    });
    await lastValueFrom(of(bytes.subarray(0, 5), bytes.subarray(5, 70_000), bytes.subarray(70_000)).pipe(saveTo(file)));
    expect(sha(await readFile(file))).toBe(sha(bytes));
  });
});

describe('backpressure', () => {
  test('makes the peer wait for the disk', async () => {
    const directory = await testFolder();
    const { spy, original } = await interceptHandles('writev');
    let resume = () => {};
    const stalled = new Promise<void>((resolve) => {
      resume = resolve;
    });
    spy.mockImplementation(async function (this: Handle, ...args: unknown[]) {
      await stalled;
      return original.apply(this, args as never[]);
    });
    const { socket, peer } = await pair();
    const total = 400 * CHUNK.length;
    const { ended } = record(socket.pipe(data(), saveTo(path.join(directory, 'file'))));
    peer.end(Buffer.alloc(total));
    await vi.waitUntil(() => socket.holds.length > 0 && peer.writableLength > 0);
    const { bytesRead } = socket;
    expect(socket.holds).toEqual(['saveTo']);
    // The write in progress, the queue, the rest of the last chunk, and what the held socket reads ahead.
    expect(bytesRead).toBeLessThanOrEqual(2 * (1_048_576 + 65_536) + 2 * 65_536);
    resume();
    expect(await ended).toEqual({});
    expect((await stat(path.join(directory, 'file'))).size).toBe(total);
  });

  test('pulls no more small chunks than fit in a queue', async () => {
    const { spy } = await interceptHandles('writev');
    let resume = (_: object) => {};
    const stalled = new Promise((resolve) => {
      resume = resolve;
    });
    spy.mockReturnValue(stalled);
    let pulled = 0;
    function* source() {
      for (;;) {
        pulled++;
        yield Buffer.from('x');
      }
    }
    const directory = await testFolder();
    const { subscription, values } = record(flowFrom(source()).pipe(saveTo(path.join(directory, 'file'))));
    await vi.waitUntil(() => values.length === 1 && spy.mock.calls.length === 1);
    expect(pulled).toBe(2 * 1_024);
    subscription.unsubscribe();
    resume({ bytesWritten: 1_024 });
    await vi.waitUntil(async () => (await names(directory)).length === 0);
  });

  test('fails if a source cannot be held and 64 MiB are queued', async () => {
    const directory = await testFolder();
    const chunk = Buffer.alloc(1024 * 1024);
    let emitted = 0;
    const source = new Observable<Uint8Array>((subscriber) => {
      while (!subscriber.closed) {
        emitted++;
        subscriber.next(chunk);
      }
    });
    const { ended } = record(source.pipe(saveTo(path.join(directory, 'file'))));
    expect((await ended).error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW' });
    expect(emitted).toBe(66);
    expect(await names(directory)).toEqual([]);
  });
});
