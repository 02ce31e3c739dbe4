// Sockets that dead servers have left: removed on request, and nothing else is.
import fs from 'node:fs';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { serve } from '@rxsock/core';
import { listen } from '@rxsock/unix';
import { of } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { drainRaw } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import {
  ask,
  asUnprivilegedUser,
  leaveStale,
  modeOf,
  plainServer,
  started,
  temporaryPath,
} from '../../../../tests/support/unix-servers.js';

const removing = (path: string) => listen({ path, removeStale: true });

/** Makes `swap` happen just before a call of a file system function. */
function before(name: 'lstatSync' | 'renameSync', path: string, swap: () => void): void {
  const real = fs[name] as (...args: unknown[]) => unknown;
  // The first look comes before the probe.
  let skip = name === 'lstatSync' ? 1 : 0;
  const spy = vi.spyOn(fs, name).mockImplementation(((...args: unknown[]) => {
    if (args[0] === path && skip-- === 0) swap();
    return real(...args);
  }) as never);
  onTestFinished(() => spy.mockRestore());
}

test('a stale file is replaced, and the new one has its mode', async () => {
  const { folder, path } = temporaryPath();
  await leaveStale(path);
  const server = removing(path);
  server.pipe(serve(() => of('the new one'))).subscribe();
  const { log } = await started(server);
  expect(log).toEqual(['listening']);
  expect(modeOf(path)).toBe('600');
  expect(await ask(path)).toBe('the new one');
  expect(fs.readdirSync(folder)).toEqual(['s']);
});

test('listens at once, as usual, where there is no file', async () => {
  const { folder, path } = temporaryPath();
  const server = removing(path);
  const listening = started(server);
  expect(fs.readdirSync(folder)).toEqual(['s']);
  await listening;
  await server.close();
  expect(fs.readdirSync(folder)).toEqual([]);
});

test('the file of a killed process is stale', async () => {
  const { folder, path } = temporaryPath();
  const worker = new Worker(new URL('../worker.mjs', import.meta.url), { workerData: path });
  await new Promise((resolve) => worker.once('message', resolve));
  await worker.terminate();
  expect(fs.readdirSync(folder)).toEqual(['s']);
  expect(await ask(path)).toBe('ECONNREFUSED');
  await started(removing(path));
});

test('a link is not followed', async () => {
  const { path } = temporaryPath();
  await leaveStale(`${path}-dead`);
  fs.symlinkSync(`${path}-dead`, path);
  const dial = vi.spyOn(net, 'connect');
  onTestFinished(() => dial.mockRestore());
  expect((await record(removing(path)).ended).error).toMatchObject({ code: 'EADDRINUSE' });
  expect(dial).not.toHaveBeenCalled();
  expect(fs.readlinkSync(path)).toBe(`${path}-dead`);
  expect(fs.existsSync(`${path}-dead`)).toBe(true);
});

test('of two that start at once, one gets the path and the other fails', async () => {
  const { folder, path } = temporaryPath();
  await leaveStale(path);
  const [one, other] = [record(removing(path)), record(removing(path))];
  onTestFinished(() => one.subscription.unsubscribe());
  expect((await other.ended).error).toMatchObject({ code: 'EADDRINUSE' });
  expect(one.log).toEqual(['listening']);
  expect(fs.readdirSync(folder)).toEqual(['s']);
});

describe('takes for a live server', () => {
  const refused = async (path: string) => {
    const { ino } = fs.lstatSync(path);
    expect((await record(removing(path)).ended).error).toMatchObject({ code: 'EADDRINUSE' });
    expect(fs.lstatSync(path).ino).toBe(ino);
  };

  test('one that answers, and that one continues', async () => {
    const { path } = temporaryPath();
    await plainServer(path, (peer) => peer.end('still here'));
    await refused(path);
    expect(await ask(path)).toBe('still here');
  });

  test('one that says nothing, and disconnects from it', async () => {
    const { path } = temporaryPath();
    let onPeer: (peer: net.Socket) => void;
    const connected = new Promise<net.Socket>((resolve) => {
      onPeer = resolve;
    });
    await plainServer(path, (peer) => onPeer(peer));
    await refused(path);
    expect(await drainRaw(await connected)).toEqual({ bytes: Buffer.alloc(0), end: 'end' });
  });

  test('one with a full backlog', async () => {
    const { path } = temporaryPath();
    const worker = new Worker(new URL('../busy-server.mjs', import.meta.url), { workerData: path });
    onTestFinished(() => void worker.terminate());
    await new Promise((resolve) => worker.once('message', resolve));
    const waiting: net.Socket[] = [];
    onTestFinished(() => {
      for (const peer of waiting) peer.destroy();
    });
    const full = () =>
      new Promise<boolean>((resolve) => {
        const peer = net.connect(path, () => resolve(false)).on('error', () => resolve(true));
        waiting.push(peer);
      });
    while (!(await full()));
    await refused(path);
  });

  test('one that denies access', async () => {
    const { folder, path } = temporaryPath();
    await leaveStale(path);
    fs.chmodSync(path, 0o600);
    fs.chmodSync(folder, 0o777);
    if (process.getuid?.() !== 0) fs.chmodSync(path, 0);
    await asUnprivilegedUser(() => refused(path));
  });

  // Node cannot make sockets of the last two kinds.
  test.each(['EPROTOTYPE', 'ENOTSOCK', 'EMFILE'])('whatever answers %s', async (code) => {
    const { path } = temporaryPath();
    await leaveStale(path);
    const failing = () => new net.Socket().destroy(Object.assign(new Error(code), { code }));
    const dial = vi.spyOn(net, 'connect').mockImplementation(failing);
    onTestFinished(() => dial.mockRestore());
    await refused(path);
    expect(dial).toHaveBeenCalledExactlyOnceWith({ path });
  });
});

describe('leaving while it checks', () => {
  test.each([
    ['by unsubscribing', false],
    ['by close()', true],
  ])('%s changes nothing on the disk', async (_how, close) => {
    const { folder, path } = temporaryPath();
    await leaveStale(path);
    const { ino } = fs.lstatSync(path);
    const make = vi.spyOn(fs, 'mkdtempSync');
    onTestFinished(() => make.mockRestore());
    const server = removing(path);
    const { subscription, log, ended } = record(server);
    if (close) {
      await server.close();
      await ended;
      expect(log).toEqual(['draining', 'close', 'complete']);
    } else subscription.unsubscribe();
    await turns();
    expect(make).not.toHaveBeenCalled();
    expect(fs.readdirSync(folder)).toEqual(['s']);
    expect(fs.lstatSync(path).ino).toBe(ino);
  });
});

describe('a server that takes the path', () => {
  /** Puts the file of a live server in place of the stale one. */
  async function rival(path: string): Promise<() => void> {
    await plainServer(`${path}-live`, (peer) => peer.end('the quicker one'));
    return () => fs.renameSync(`${path}-live`, path);
  }

  test.each(['lstatSync', 'renameSync'] as const)('before %s keeps it', async (call) => {
    const { folder, path } = temporaryPath();
    await leaveStale(path);
    before(call, path, await rival(path));
    expect((await record(removing(path)).ended).error).toMatchObject({ code: 'EADDRINUSE' });
    expect(await ask(path)).toBe('the quicker one');
    expect(fs.readdirSync(folder)).toEqual(['s']);
  });

  test('with a file that has the inode number of the stale one keeps it', async () => {
    const { path } = temporaryPath();
    await leaveStale(path);
    const later = new Date(Date.now() + 5000);
    before('lstatSync', path, () => fs.utimesSync(path, later, later));
    expect((await record(removing(path)).ended).error).toMatchObject({ code: 'EADDRINUSE' });
    expect(fs.existsSync(path)).toBe(true);
  });

  test.each(['lstatSync', 'renameSync'] as const)('before %s and leaves it again is no obstacle', async (call) => {
    const { folder, path } = temporaryPath();
    await leaveStale(path);
    before(call, path, () => fs.unlinkSync(path));
    await started(removing(path));
    expect(fs.readdirSync(folder)).toEqual(['s']);
  });
});

test('reports the reason if the stale file may not be moved', async () => {
  const { folder, path } = temporaryPath();
  await leaveStale(path);
  before('renameSync', path, () => {
    throw Object.assign(new Error('it is not yours'), { code: 'EPERM' });
  });
  const { error } = await record(removing(path)).ended;
  expect(error).toMatchObject({ code: 'EPERM', message: `Cannot listen on ${path}: it is not yours` });
  expect(fs.readdirSync(folder)).toEqual(['s']);
});

test('a file that cannot be put back is kept, and reported', async () => {
  const { folder, path } = temporaryPath();
  await leaveStale(path);
  await plainServer(`${path}-live`);
  before('renameSync', path, () => fs.renameSync(`${path}-live`, path));
  const { linkSync } = fs;
  const link = vi.spyOn(fs, 'linkSync').mockImplementation((from, to) => {
    if (`${from}`.endsWith('/-')) fs.writeFileSync(to, 'the third');
    linkSync(from, to);
  });
  const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
  onTestFinished(() => {
    link.mockRestore();
    warned.mockRestore();
  });
  expect((await record(removing(path)).ended).error).toMatchObject({ code: 'EADDRINUSE' });
  const [aside] = fs.readdirSync(folder).filter((name) => name.startsWith('.'));
  expect(fs.readdirSync(`${folder}/${aside}`)).toEqual(['-']);
  expect(warned).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'ENOTEMPTY' }));
});
