// handOver() of servers on UNIX sockets: clients do not notice, and the file stays until the last server closes.
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { listen as listenOnPort, on, type Server, serve } from '@rxsock/core';
import { handOver } from '@rxsock/core/process';
import { listen } from '@rxsock/unix';
import { firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { killChild } from '../../../../tests/support/processes/index.js';
import { restarts } from '../../../../tests/support/processes/restarts.js';
import { drainRaw } from '../../../../tests/support/raw-peers.js';
import { ask, temporaryPath } from '../../../../tests/support/unix-servers.js';

const NODE = process.execPath;
const program = (name: string) => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
const successor = (how: string, paths: object = {}) => [program('successor'), how, JSON.stringify(paths)];

/** Starts a server that answers `here`. */
async function answering<S extends Server>(server: S): Promise<S> {
  const serving = server.pipe(serve(() => 'here')).subscribe();
  onTestFinished(() => serving.unsubscribe());
  if (!server.address) await firstValueFrom(server.pipe(on('listening')));
  return server;
}

test('a server is restarted under load again and again: every connection gets its whole answer, and the file stays', async () => {
  const { folder, path } = temporaryPath();
  const { address, underLoad, stop } = await restarts(program('generation'), [path]);
  expect(address).toBe(path);
  const { ino } = fs.lstatSync(path);
  await underLoad(() => net.connect({ path }));
  expect(fs.lstatSync(path).ino).toBe(ino);
  expect(fs.readdirSync(folder)).toEqual(['s']);
  await stop();
  expect(fs.readdirSync(folder)).toEqual([]);
});

test('hands over several servers by name, including one of TCP', async () => {
  const { folder, path } = temporaryPath();
  const abstract = `rxsock hand-over ${process.pid}`;
  const servers = {
    path: await answering(listen({ path })),
    abstract: await answering(listen({ abstract })),
    tcp: await answering(listenOnPort()),
  };
  const port = servers.tcp.address?.port as number;
  const name = servers.abstract.address?.path as string;
  const child = await handOver(servers, NODE, successor('ready', { path }));
  onTestFinished(() => killChild(child));
  expect(await ask(path)).toBe(`path at ${path}`);
  expect(`${(await drainRaw(net.connect(name.padEnd(108, '\0')))).bytes}`).toBe(`abstract at ${name}`);
  expect(`${(await drainRaw(net.connect({ port, host: '127.0.0.1' }))).bytes}`).toBe('tcp at 127.0.0.1');
  child.kill();
  await once(child, 'exit');
  expect(fs.readdirSync(folder)).toEqual([]);
});

test('a successor that does not know the path leaves the file', async () => {
  const { path } = temporaryPath();
  const child = await handOver({ a: await answering(listen({ path })) }, NODE, successor('ready'));
  onTestFinished(() => killChild(child));
  expect(await ask(path)).toBe('a at ');
  child.kill();
  await once(child, 'exit');
  expect(await ask(path)).toBe('ECONNREFUSED');
});

describe('a successor that does not become ready leaves the server and its file as they were', () => {
  test.each([
    ['because it does not exist', '/no/such/program', (_path: string) => []],
    ['because it gives up and closes its servers', NODE, (path: string) => successor('gives-up', { unknown: path })],
  ])('%s', async (_why, command, args) => {
    const { folder, path } = temporaryPath();
    const server = await answering(listen({ path }));
    await expect(handOver(server, command, args(path))).rejects.toMatchObject({ code: 'ERR_HANDOVER_FAILED' });
    expect(await ask(path)).toBe('here');
    await server.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});
