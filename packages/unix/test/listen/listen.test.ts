// Servers on paths: their file is created and removed with them, has the requested mode, and other files are not
// harmed.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { connections, type DropEvent, data, type ServerEvent, serve } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { listen } from '@rxsock/unix';
import { firstValueFrom, of } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { drainRaw } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import {
  ask,
  asUnprivilegedUser,
  client,
  leaveStale,
  modeOf,
  plainServer,
  started,
  temporaryPath,
} from '../../../../tests/support/unix-servers.js';

const answer = (text: string) => serve(() => of(text));

describe('listening', () => {
  test('is emitted with the path, and leaves no other file beside it', async () => {
    const { folder, path } = temporaryPath();
    const server = listen({ path });
    const { values } = await started(server);
    expect(values).toEqual([{ type: 'listening', address: { path } }]);
    expect(server.address).toEqual({ path });
    expect(fs.readdirSync(folder)).toEqual(['s']);
    expect(fs.lstatSync(path).isSocket()).toBe(true);
    await server.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('works with the longest path, and the longest directory', async () => {
    const { folder } = temporaryPath();
    const deep = `${folder}/${'d'.repeat(97 - folder.length - 1)}`;
    fs.mkdirSync(deep);
    for (const path of [`${folder}/${'x'.repeat(107 - folder.length - 1)}`, `${deep}/${'x'.repeat(9)}`]) {
      expect(path).toHaveLength(107);
      const server = listen({ path });
      server.pipe(answer('hello')).subscribe();
      await started(server);
      expect(await ask(path)).toBe('hello');
      await server.close();
    }
    expect(fs.readdirSync(deep)).toEqual([]);
    expect(() => listen({ path: `${deep}d/x` })).toThrow(
      'The directory of a path to listen on must have at most 97 bytes, not 98',
    );
  });

  test('works with a relative path, which is found again from another working directory', async () => {
    const { folder } = temporaryPath();
    const before = process.cwd();
    onTestFinished(() => process.chdir(before));
    process.chdir(folder);
    const server = listen({ path: 's' });
    await started(server);
    expect(server.address).toEqual({ path: 's' });
    process.chdir(before);
    await server.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('works in a worker thread', async () => {
    const { folder, path } = temporaryPath();
    const worker = new Worker(new URL('../worker.mjs', import.meta.url), { workerData: path });
    onTestFinished(() => void worker.terminate());
    await new Promise((resolve) => worker.once('message', resolve));
    expect(modeOf(path)).toBe('640');
    expect(await ask(path)).toBe('from a worker');
    worker.postMessage('stop');
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('mode', () => {
  test.each([
    [undefined, '600'],
    [0o660, '660'],
    [0o777, '777'],
    [0, '0'],
  ])('is %o, whatever the umask', async (mode, expected) => {
    for (const umask of [0, 0o077]) {
      const before = process.umask(umask);
      onTestFinished(() => void process.umask(before));
      const { path } = temporaryPath();
      await started(listen({ path, ...(mode !== undefined && { mode }) }));
      expect(modeOf(path)).toBe(expected);
    }
  });

  test('is set before the file appears, in a directory that nobody else may enter', async () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const { path } = temporaryPath();
    const seen: string[] = [];
    const { linkSync } = fs;
    const link = vi.spyOn(fs, 'linkSync').mockImplementation((from, to) => {
      seen.push(modeOf(dirname(`${from}`)), modeOf(`${from}`), `${to}`);
      expect(fs.existsSync(path)).toBe(false);
      linkSync(from, to);
    });
    onTestFinished(() => link.mockRestore());
    await started(listen({ path, mode: 0o620 }));
    expect(seen).toEqual(['700', '620', path]);
  });

  test('is never wider for another process', async () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const { path } = temporaryPath();
    const rounds = 20;
    const watcher = spawn(process.execPath, ['--input-type=module', '-e', WATCH, path, `${rounds}`]);
    onTestFinished(() => void watcher.kill());
    const lines = createInterface(watcher.stdout)[Symbol.asyncIterator]();
    for (let round = 0; round < rounds; round++) {
      expect((await lines.next()).value).toBe('waiting');
      const server = listen({ path });
      await started(server);
      expect((await lines.next()).value).toBe('600');
      await server.close();
    }
  });

  test('does not affect files that other code creates meanwhile', async () => {
    const before = process.umask(0o022);
    onTestFinished(() => void process.umask(before));
    const { folder, path } = temporaryPath();
    const made: Promise<unknown>[] = [];
    for (let index = 0; index < 200; index++) {
      made.push(fs.promises.writeFile(`${folder}/f${index}`, ''), fs.promises.mkdir(`${folder}/d${index}`));
      if (index % 4 > 0) continue;
      const server = listen({ path });
      await started(server);
      await server.close();
    }
    await Promise.all(made);
    const modes = (kind: string) =>
      new Set(
        fs
          .readdirSync(folder)
          .filter((name) => name.startsWith(kind))
          .map((name) => modeOf(`${folder}/${name}`)),
      );
    expect([modes('f'), modes('d')]).toEqual([new Set(['644']), new Set(['755'])]);
  });

  test.each([-1, 0o1000, 1.5, '600'])('rejects %o at the call', (mode) => {
    expect(() => listen({ path: '/x', mode: mode as number })).toThrow(
      typeof mode === 'number' ? RangeError : TypeError,
    );
  });
});

describe('listening fails', () => {
  const failure = async (path: string, removeStale = false) => {
    const { error } = await record(listen({ path, removeStale })).ended;
    expect(error).toMatchObject({ name: 'SocketError', phase: 'open', local: { path } });
    expect(error).toMatchObject({ message: expect.stringContaining(`Cannot listen on ${path}: `) });
    return (error as { code: string }).code;
  };

  test.each([
    ['a file', (path: string) => fs.writeFileSync(path, 'mine')],
    ['a directory', (path: string) => fs.mkdirSync(path)],
    ['a link to nothing', (path: string) => fs.symlinkSync(`${path}-not`, path)],
    [
      'a link to what a dead server left',
      (path: string) => leaveStale(`${path}-dead`).then(() => fs.symlinkSync(`${path}-dead`, path)),
    ],
    ['a live server', plainServer],
  ])('with EADDRINUSE for %s, even with removeStale', async (_what, put) => {
    const { folder, path } = temporaryPath();
    await put(path);
    const before = [fs.readdirSync(folder), fs.lstatSync(path, { bigint: true }).ino];
    expect([await failure(path), await failure(path, true)]).toEqual(['EADDRINUSE', 'EADDRINUSE']);
    expect([fs.readdirSync(folder), fs.lstatSync(path, { bigint: true }).ino]).toEqual(before);
  });

  test("with EADDRINUSE for a dead server's socket, without removeStale", async () => {
    const { folder, path } = temporaryPath();
    await leaveStale(path);
    expect(await failure(path)).toBe('EADDRINUSE');
    expect(fs.readdirSync(folder)).toEqual(['s']);
  });

  test('with ENOENT without a directory, with ENOTDIR for a file in its place', async () => {
    const { path } = temporaryPath();
    for (const removeStale of [false, true]) expect(await failure(`${path}/s`, removeStale)).toBe('ENOENT');
    fs.writeFileSync(path, '');
    for (const removeStale of [false, true]) expect(await failure(`${path}/s`, removeStale)).toBe('ENOTDIR');
  });

  test('with EACCES without permission', async () => {
    const { folder, path } = temporaryPath();
    fs.chmodSync(folder, 0o555);
    expect(await asUnprivilegedUser(() => failure(path))).toBe('EACCES');
    fs.chmodSync(folder, 0o755);
  });

  test('with the error that the system reports while it binds', async () => {
    const { folder, path } = temporaryPath();
    const make = vi.spyOn(fs, 'mkdtempSync').mockImplementation(() => {
      fs.mkdirSync(`${folder}/t`);
      fs.writeFileSync(`${folder}/t/=`, '');
      return `${folder}/t`;
    });
    onTestFinished(() => make.mockRestore());
    const { error } = await record(listen({ path })).ended;
    expect(error).toMatchObject({ name: 'SocketError', code: 'EADDRINUSE', phase: 'open' });
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test.each([{ backlog: 0 }, { claimTimeout: Number.NaN }, { maxConnections: 0 }, { highWaterMark: 0 }])(
    'at the call for %o',
    (options) => {
      expect(() => listen({ path: '/x', ...options })).toThrow(RangeError);
    },
  );
});

describe('the end', () => {
  test('frees the path at once for a new server, while the old one drains', async () => {
    const { folder, path } = temporaryPath();
    const old = listen({ path });
    await started(old);
    const peer = client(path);
    const socket = await firstValueFrom(old.pipe(connections()));
    const received = record(socket.pipe(data()));
    const closed = old.close({ drain: Number.POSITIVE_INFINITY });
    expect(fs.existsSync(path)).toBe(false);
    const fresh = listen({ path });
    fresh.pipe(answer('the new one')).subscribe();
    await started(fresh);
    peer.end('to the old one');
    peer.resume();
    await closed;
    expect(received.log).toEqual(['to the old one', 'complete']);
    expect(await ask(path)).toBe('the new one');
    await fresh.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test("does not touch a newer server's path", async () => {
    const { folder, path } = temporaryPath();
    const old = listen({ path });
    await started(old);
    fs.renameSync(path, `${path}.old`);
    const fresh = listen({ path });
    fresh.pipe(answer('the new one')).subscribe();
    await started(fresh);
    await old.close();
    expect(await ask(path)).toBe('the new one');
    await fresh.close();
    expect(fs.readdirSync(folder)).toEqual(['s.old']);
  });

  test('ignores a file that is already gone', async () => {
    const { path } = temporaryPath();
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    onTestFinished(() => warned.mockRestore());
    const server = listen({ path });
    await started(server);
    fs.unlinkSync(path);
    await server.close();
    expect(warned).not.toHaveBeenCalled();
  });

  test('emits a warning for a file that it may not remove', async () => {
    const { path, folder } = temporaryPath();
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    onTestFinished(() => warned.mockRestore());
    const server = listen({ path });
    await started(server);
    fs.chmodSync(folder, 0o555);
    await asUnprivilegedUser(() => server.close());
    expect(warned).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'EACCES', path }));
    fs.chmodSync(folder, 0o755);
  });

  test('comes when the last subscriber leaves', async () => {
    const { folder, path } = temporaryPath();
    record(listen({ path })).subscription.unsubscribe();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  test('comes when the signal aborts, also for the connections, which look ended to the peer', async () => {
    const { folder, path } = temporaryPath();
    const abort = new AbortController();
    const server = listen({ path, signal: abort.signal });
    const { log, ended } = await started(server);
    const peer = client(path);
    const { ended: socketEnded } = record(await firstValueFrom(server.pipe(connections())));
    abort.abort(new Error('enough'));
    expect(fs.readdirSync(folder)).toEqual([]);
    expect((await socketEnded).error).toMatchObject({ name: 'AbortedError', cause: abort.signal.reason });
    expect((await drainRaw(peer)).end).toBe('end');
    await ended;
    expect(log.slice(-2)).toEqual(['close', 'complete']);
  });

  test.each([false, true])('comes at once if the signal was aborted before; removeStale: %s', async (removeStale) => {
    const { folder, path } = temporaryPath();
    const { log, ended } = record(listen({ path, removeStale, signal: AbortSignal.abort() }));
    await ended;
    expect(log).toEqual(['close', 'complete']);
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe('dropped connections', () => {
  const drops = (values: ServerEvent[]) => values.filter((event): event is DropEvent => event.type === 'drop');

  test('are those beyond maxConnections', async () => {
    const { path } = temporaryPath();
    const { values } = await started(listen({ path, maxConnections: 1 }));
    client(path);
    const second = client(path);
    expect((await drainRaw(second)).end).toBe('end');
    await expect
      .poll(() => drops(values))
      .toMatchObject([{ type: 'drop', reason: 'maxConnections', remote: { path: '' } }]);
  });

  test('are those that nobody subscribes to within claimTimeout', async () => {
    const { path } = temporaryPath();
    const scheduler = new VirtualClock();
    const { values } = await started(listen({ path, claimTimeout: 1000, scheduler }));
    const peer = client(path);
    await expect.poll(() => values).toHaveLength(2);
    scheduler.tick(1000);
    expect((await drainRaw(peer)).end).toBe('end');
    expect(drops(values)).toEqual([{ type: 'drop', reason: 'unclaimed', remote: { path: '' } }]);
  });
});

test('an accepted socket is not read before someone subscribes', async () => {
  const { path } = temporaryPath();
  const server = listen({ path });
  await started(server);
  client(path).write('early');
  const socket = await firstValueFrom(server.pipe(connections()));
  await turns();
  expect(socket.bytesRead).toBe(0);
  expect(`${await firstValueFrom(socket.pipe(data()))}`).toBe('early');
});

test('messages of an accepted socket name the path', async () => {
  const { path } = temporaryPath();
  const server = listen({ path });
  await started(server);
  client(path);
  const socket = await firstValueFrom(server.pipe(connections()));
  const { ended } = record(socket);
  socket.error();
  const message = `The connection to ${path} was aborted from this side`;
  expect((await ended).error).toMatchObject({ message, local: { path }, remote: { path: '' } });
});

/** Watches a path until something is there, prints its mode at first sight, and then watches until it is gone. */
const WATCH = `
  import fs from 'node:fs';
  const [path, rounds] = process.argv.slice(1);
  for (let round = 0; round < Number(rounds); round++) {
    fs.writeSync(1, 'waiting\\n');
    let found;
    while (!(found = fs.lstatSync(path, { throwIfNoEntry: false })));
    fs.writeSync(1, (found.mode & 0o777).toString(8) + '\\n');
    while (fs.lstatSync(path, { throwIfNoEntry: false }));
  }
`;
