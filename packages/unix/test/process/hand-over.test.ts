// handOver() of servers on UNIX sockets: nobody who connects notices, and the file stays until the last of them closes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { handOver, listen as listenOnPort, on, type Server, serve } from '@rxsock/core';
import { listen } from '@rxsock/unix';
import { firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exited } from '../../../core/test/process/support.js';
import { drainRaw } from '../../../core/test/support/peers.js';
import { ask, place } from '../support.js';

const NODE = process.execPath;
const program = (name: string) => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
const successor = (how: string, paths: object = {}) => [program('successor'), how, JSON.stringify(paths)];

/** Makes a server listen that answers `here`. */
async function answering<S extends Server>(server: S): Promise<S> {
  const serving = server.pipe(serve(() => 'here')).subscribe();
  onTestFinished(() => serving.unsubscribe());
  if (!server.address) await firstValueFrom(server.pipe(on('listening')));
  return server;
}

test('a server is restarted under load, again and again: every connection gets its whole answer, the file stays', async () => {
  const { folder, path } = place();
  const first = spawn(NODE, [program('generation'), path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let log = '';
  let pid = first.pid as number;
  let isRunning = true;
  const gone = once(first, 'close'); // with the last of those who have its standard output
  onTestFinished(async () => {
    if (isRunning) process.kill(pid, 'SIGKILL');
    await gone;
  });
  first.stdout.on('data', (bytes: Buffer) => {
    log += bytes;
  });
  const printed = async (pattern: RegExp) => {
    for (;;) {
      const found = pattern.exec(log);
      if (found) return found;
      await once(first.stdout, 'data');
    }
  };
  const listens = async (generation: number) => {
    const [, number, where] = await printed(new RegExp(`^listening ${generation} (\\d+) (.*)$`, 'm'));
    pid = Number(number);
    return where;
  };

  expect(await listens(0)).toBe(path);
  const { ino } = fs.lstatSync(path);
  const answers = [0, 0, 0, 0];
  const wrong: string[] = [];
  let stop = false;
  const hammer = async () => {
    while (!stop) {
      const { bytes, end } = await drainRaw(net.connect({ path }));
      const answer = `${bytes} ${end}`;
      const generation = Number(/^generation (\d)\n/.exec(answer)?.[1]);
      if (answer === `generation ${generation}\n${'x'.repeat(50_000)}\nend\n end`) answers[generation]! += 1;
      else wrong.push(answer.replace(/x+/, 'x…'));
    }
  };
  const hammers = Array.from({ length: 8 }, hammer);
  for (let generation = 0; generation < 3; generation++) {
    await expect.poll(() => answers[generation]).toBeGreaterThan(50);
    process.kill(pid, 'SIGHUP');
    expect(await listens(generation + 1)).toBe(path);
    await printed(new RegExp(`^closed ${generation}$`, 'm'));
  }
  await expect.poll(() => answers[3]).toBeGreaterThan(50);
  stop = true;
  await Promise.all(hammers);
  expect(wrong).toEqual([]);
  expect(log).not.toContain('connectionError');
  expect(fs.lstatSync(path).ino).toBe(ino);
  expect(fs.readdirSync(folder)).toEqual(['s']);

  process.kill(pid, 'SIGTERM');
  await gone;
  isRunning = false;
  expect(fs.readdirSync(folder)).toEqual([]);
});

test('several by their names, of TCP as well', async () => {
  const { folder, path } = place();
  const abstract = `rxsock hand-over ${process.pid}`;
  const servers = {
    path: await answering(listen({ path })),
    abstract: await answering(listen({ abstract })),
    tcp: await answering(listenOnPort()),
  };
  const port = servers.tcp.address?.port as number;
  const name = servers.abstract.address?.path as string;
  const child = await handOver(servers, NODE, successor('ready', { path }));
  onTestFinished(() => exited(child));
  expect(await ask(path)).toBe(`path at ${path}`);
  expect(`${(await drainRaw(net.connect(name.padEnd(108, '\0')))).bytes}`).toBe(`abstract at ${name}`);
  expect(`${(await drainRaw(net.connect({ port, host: '127.0.0.1' }))).bytes}`).toBe('tcp at 127.0.0.1');
  child.kill();
  await once(child, 'exit');
  expect(fs.readdirSync(folder)).toEqual([]);
});

test('a successor that is not told the path leaves the file', async () => {
  const { path } = place();
  const child = await handOver({ a: await answering(listen({ path })) }, NODE, successor('ready'));
  onTestFinished(() => exited(child));
  expect(await ask(path)).toBe('a at ');
  child.kill();
  await once(child, 'exit');
  expect(await ask(path)).toBe('ECONNREFUSED');
});

describe('a successor that is not ready leaves the server and its file as they were', () => {
  test.each([
    ['because there is none', '/no/such/program', (_path: string) => []],
    ['because it gives up, and closes what it has', NODE, (path: string) => successor('gives-up', { unknown: path })],
  ])('%s', async (_why, command, args) => {
    const { folder, path } = place();
    const server = await answering(listen({ path }));
    await expect(handOver(server, command, args(path))).rejects.toMatchObject({ code: 'ERR_HANDOVER_FAILED' });
    expect(await ask(path)).toBe('here');
    await server.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});
