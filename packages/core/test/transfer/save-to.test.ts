// saveTo(): a whole file under the final name, or nothing.
import { readdirSync } from 'node:fs';
import { type FileHandle, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { connections, data, flowFrom, listen, on, SocketError, saveTo, sendFile } from '@rxsock/core';
import {
  catchError,
  concat,
  EMPTY,
  firstValueFrom,
  lastValueFrom,
  map,
  mergeMap,
  Observable,
  of,
  range,
  Subject,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { accepted, dial, pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { turns } from '../../../../tests/support/turns.js';
import { fileOf, interceptFs, interceptHandles, names, sha } from '../support/files.js';

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

  test('is flushed to the disk before it gets its name, and the name afterwards', async () => {
    const directory = await testFolder();
    const synced = await recordSyncs(directory);
    await lastValueFrom(of(CHUNK).pipe(saveTo(path.join(directory, 'file'))));
    expect(synced).toEqual([
      ['file', [expect.stringMatching(/\.part$/)]],
      ['folder', ['file']],
    ]);
  });

  test('is not flushed with flush: false', async () => {
    const directory = await testFolder();
    const synced = await recordSyncs(directory);
    await lastValueFrom(of(CHUNK).pipe(saveTo(path.join(directory, 'file'), { flush: false })));
    expect(synced).toEqual([]);
    expect(await names(directory)).toEqual(['file']);
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

  test('is created where a chain of symbolic links points', async () => {
    const directory = await testFolder();
    await mkdir(path.join(directory, 'elsewhere'));
    await symlink('elsewhere/link', path.join(directory, 'link'));
    await symlink('../file', path.join(directory, 'elsewhere', 'link'));
    await lastValueFrom(of(Buffer.from('new')).pipe(saveTo(path.join(directory, 'link'))));
    expect(await names(directory)).toEqual(['elsewhere', 'file', 'link']);
    expect(await names(path.join(directory, 'elsewhere'))).toEqual(['link']);
    expect(await readFile(path.join(directory, 'file'), 'utf8')).toBe('new');
  });

  test("is written where the system's '..' leads: from the folder that a link points to", async () => {
    const directory = await testFolder();
    await mkdir(path.join(directory, 'elsewhere', 'inner'), { recursive: true });
    await symlink('elsewhere/inner', path.join(directory, 'link'));
    await symlink('link/../target', path.join(directory, 'dangling'));
    for (const name of [`${directory}/link/../file`, `${directory}/dangling`])
      await lastValueFrom(of(Buffer.from('new')).pipe(saveTo(name)));
    expect(await names(directory)).toEqual(['dangling', 'elsewhere', 'link']);
    expect(await names(path.join(directory, 'elsewhere'))).toEqual(['file', 'inner', 'target']);
  });

  test('may have a path that is relative to the working directory', async () => {
    const directory = await testFolder();
    const relative = path.relative(process.cwd(), directory);
    await lastValueFrom(of(Buffer.from('new')).pipe(saveTo(`${relative}/./file`)));
    expect(await names(directory)).toEqual(['file']);
  });

  test('may have the longest name that the file system takes', async () => {
    const directory = await testFolder();
    const name = 'n'.repeat(255);
    await lastValueFrom(of(CHUNK).pipe(saveTo(path.join(directory, name))));
    expect(await names(directory)).toEqual([name]);
  });
});

/** Records what is flushed to the disk until the test is over, and the names in the directory at that moment. */
async function recordSyncs(directory: string): Promise<[string, string[]][]> {
  const synced: [string, string[]][] = [];
  const file = interceptFs('fsync');
  file.spy.mockImplementation((...args) => {
    synced.push(['file', readdirSync(directory)]);
    file.original(...args);
  });
  const folder = await interceptHandles('sync');
  folder.spy.mockImplementation(function (this: FileHandle) {
    synced.push(['folder', readdirSync(directory)]);
    return folder.original.call(this);
  });
  return synced;
}

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

  test('when the transfer fails before it begins: the sender has no such file', async () => {
    const directory = await testFolder();
    const server = listen();
    let files = 0;
    const saving = server.pipe(
      connections(),
      mergeMap((socket) =>
        socket.pipe(
          data(),
          saveTo(path.join(directory, `${files++}`)),
          catchError(() => EMPTY),
        ),
      ),
    );
    const { ended } = record(saving);
    const { address } = await firstValueFrom(server.pipe(on('listening')));
    for (let i = 0; i < 30; i++) {
      const sending = record(sendFile(dial({ port: address.port }), path.join(directory, 'missing')));
      expect((await sending.ended).error).toMatchObject({ code: 'ENOENT' });
    }
    await server.close({ drain: Number.POSITIVE_INFINITY });
    await ended;
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
    const { spy, original } = interceptFs('fsync');
    spy.mockImplementation((...args) => {
      subscription.unsubscribe();
      original(...args);
    });
    const { subscription, log } = record(of(CHUNK).pipe(saveTo(path.join(directory, 'file'))));
    await vi.waitUntil(async () => spy.mock.calls.length === 1 && (await names(directory)).length === 0);
    expect(log).not.toContain('complete');
  });
});

describe('backpressure', () => {
  test('makes the peer wait for the disk', async () => {
    const directory = await testFolder();
    const { spy, original } = interceptFs('writev');
    let resume = () => {};
    const stalled = new Promise<void>((resolve) => {
      resume = resolve;
    });
    spy.mockImplementation((...args) => void stalled.then(() => original(...args)));
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
    const { spy } = interceptFs('writev');
    let resume = () => {};
    let written = 0;
    spy.mockImplementation((_fd, chunks, done) => {
      written = chunks.reduce((bytes, chunk) => bytes + chunk.byteLength, 0);
      resume = () => done(null, written);
    });
    let pulled = 0;
    function* source() {
      for (;;) {
        pulled++;
        yield Buffer.from('x');
      }
    }
    const directory = await testFolder();
    const { subscription, values } = record(flowFrom(source()).pipe(saveTo(path.join(directory, 'file'))));
    await vi.waitUntil(() => values.length === 1 && written > 0 && pulled >= written + 1_024);
    await turns();
    expect(written).toBeLessThanOrEqual(1_024);
    expect(pulled).toBe(written + 1_024);
    subscription.unsubscribe();
    resume();
    await vi.waitUntil(async () => (await names(directory)).length === 0);
  });

  test('queues no empty chunks', async () => {
    const directory = await testFolder();
    const source = concat(range(0, 600_000).pipe(map(() => new Uint8Array(0))), of(CHUNK));
    const { ended, values } = record(source.pipe(saveTo(path.join(directory, 'file'))));
    expect(await ended).toEqual({});
    expect(values.at(-1)).toEqual({ bytesSaved: CHUNK.length });
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
    expect(emitted).toBe(65);
    expect(await names(directory)).toEqual([]);
  });
});
