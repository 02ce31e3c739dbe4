// handOver(): a successor takes over the listeners, and clients do not notice.
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { listen, serve } from '@rxsock/core';
import { type HandOverOptions, handOver } from '@rxsock/core/process';
import { VirtualClock } from '@rxsock/core/testing';
import { NEVER } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { killChild, listening, program } from '../../../../tests/support/processes/index.js';
import { restarts } from '../../../../tests/support/processes/restarts.js';
import { drainRaw, readAnswer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { turns } from '../../../../tests/support/turns.js';
import { waitUntilReady } from '../../src/process/successor.js';

const NODE = process.execPath;
const successor = (how: string) => [program('successor'), how];

test('a server is restarted under load again and again, and every connection gets its whole answer', async () => {
  const { address, underLoad } = await restarts(program('generation'));
  const [, port] = /^127\.0\.0\.1:(\d+)$/.exec(address) ?? [];
  await underLoad(() => net.connect({ port: Number(port), host: '127.0.0.1' }));
});

test('hands over several servers by name, with environment variables and a working directory', async () => {
  const [a, b] = [await listening(listen()), await listening(listen())];
  const ports = [a, b].map(({ address }) => address?.port as number);
  const before = { ...process.env };
  const env = { ...process.env, OWN: 'mine' };
  const child = await handOver({ a, 'b.socket': b }, NODE, successor('ready'), { env, cwd: '/' });
  onTestFinished(() => killChild(child));
  expect([a.address, b.address]).toEqual([undefined, undefined]);
  expect(await Promise.all(ports.map(readAnswer))).toEqual(['a of mine in / end', 'b.socket of mine in / end']);
  expect(process.env).toEqual(before);
});

test('the successor may disconnect as soon as it has reported ready', async () => {
  const server = await listening(listen());
  const port = server.address?.port as number;
  const child = await handOver(server, NODE, successor('hangs-up'));
  onTestFinished(() => killChild(child));
  expect(await readAnswer(port)).toBe(`unknown of nobody in ${process.cwd()} end`);
});

describe('after a hand-over, the servers in this process', () => {
  test('close when their connections are finished', async () => {
    const server = listen();
    const { log } = record(server.pipe(serve(() => NEVER)));
    await expect.poll(() => log).toEqual(['listening']);
    const port = server.address?.port as number;
    const peer = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await expect.poll(() => log).toEqual(['listening', 'connection']);
    const handedOver = handOver(server, NODE, successor('ready'), { drain: Number.POSITIVE_INFINITY });
    await expect.poll(() => log).toEqual(['listening', 'connection', 'draining']);
    await turns();
    expect(log).not.toContain('close');
    peer.resetAndDestroy();
    const child = await handedOver;
    onTestFinished(() => killChild(child));
    expect(log.slice(-2)).toEqual(['close', 'complete']);
    expect(await readAnswer(port)).toBe(`unknown of nobody in ${process.cwd()} end`);
  });

  test('are cut after drain milliseconds', async () => {
    const server = listen();
    const { log } = record(server.pipe(serve(() => NEVER)));
    await expect.poll(() => log).toEqual(['listening']);
    const peer = net.connect({ port: server.address?.port as number, host: '127.0.0.1' });
    await expect.poll(() => log).toEqual(['listening', 'connection']);
    const ended = drainRaw(peer);
    const child = await handOver(server, NODE, successor('ready'), { drain: 0 });
    onTestFinished(() => killChild(child));
    expect((await ended).end).toBe('ECONNRESET');
  });
});

describe('a successor that does not become ready leaves the server as it was', () => {
  /**
   * Attempts a hand-over that fails. Returns the error, after checking that only the server in this process listens.
   */
  async function failure(command: string, args: readonly string[], options?: HandOverOptions): Promise<unknown> {
    const server = listen();
    const { log } = record(server.pipe(serve(() => 'still here')));
    await expect.poll(() => log).toEqual(['listening']);
    const port = server.address?.port as number;
    const error = await handOver(server, command, args, options).catch((reason: unknown) => reason);
    expect(await readAnswer(port)).toBe('still here end');
    expect(log).toEqual(['listening', 'connection']);
    await server.close();
    expect(await readAnswer(port)).toBe(' ECONNREFUSED');
    return error;
  }

  test('because it exits', async () => {
    expect(await failure(NODE, successor('exits'))).toMatchObject({
      name: 'HandOverError',
      code: 'ERR_HANDOVER_FAILED',
      phase: 'open',
      message: `The successor ${NODE} exited with code 7 before it was ready: it must call process.send('ready') once it listens`,
    });
  });

  test('because a signal ends it', async () => {
    const error = await failure('/bin/sh', ['-c', 'kill -TERM $$']);
    expect(error).toMatchObject({ message: expect.stringContaining('/bin/sh was killed by SIGTERM before') });
  });

  test('because the program does not exist', async () => {
    const error = await failure('/no/such/program', []);
    expect(error).toMatchObject({ code: 'ERR_HANDOVER_FAILED', message: expect.stringContaining('with code 127') });
  });

  test('because the directory does not exist', async () => {
    expect(await failure(NODE, [], { cwd: '/no/such/directory' })).toMatchObject({
      code: 'ERR_HANDOVER_FAILED',
      message: expect.stringContaining(`Cannot start the successor ${NODE}: `),
      cause: { code: 'ENOENT' },
    });
  });

  test('because it takes longer than readyTimeout', async () => {
    const scheduler = new VirtualClock();
    const failed = failure(NODE, successor('mute'), { readyTimeout: 1000, scheduler });
    await expect.poll(() => scheduler.actions.length).toBe(1);
    scheduler.tick(999);
    await turns();
    expect(scheduler.actions).toHaveLength(1);
    scheduler.tick(1);
    expect(await failed).toMatchObject({
      name: 'SocketTimeoutError',
      code: 'ETIMEDOUT',
      timeout: 'readyTimeout',
      milliseconds: 1000,
      message: `The successor ${NODE} was not ready within readyTimeout (1000 ms) and was killed: it must call process.send('ready') once it listens`,
    });
  });
});

test('a successor that ignores SIGTERM is killed as well', async () => {
  const scheduler = new VirtualClock();
  const server = await listening(listen());
  const started = join(await testFolder(), 'started');
  // What a shell ignores, the program that it executes ignores too.
  const script = 'trap "" TERM; : > "$0"; exec sleep 600';
  const failed = handOver(server, '/bin/sh', ['-c', script, started], { readyTimeout: 1000, scheduler });
  const error = failed.catch((reason: unknown) => reason);
  await expect.poll(() => existsSync(started)).toBe(true);
  scheduler.tick(1000);
  expect(await error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'readyTimeout' });
});

test('a process that reports ready after its parent was killed for being late is no successor', async () => {
  const scheduler = new VirtualClock();
  const successor = new EventEmitter();
  const kill = (signal: string) => {
    successor.emit('message', 'ready');
    successor.emit('exit', null, signal);
  };
  const ready = waitUntilReady(Object.assign(successor, { kill }) as never, 'sh', 1000, scheduler);
  scheduler.tick(1000);
  await expect(ready).rejects.toMatchObject({ code: 'ETIMEDOUT', timeout: 'readyTimeout' });
  expect(successor.eventNames()).toEqual([]);
});

describe('rejects at the call', () => {
  test('a server that does not listen', () => {
    const error = expect.objectContaining({ name: 'HandOverError', code: 'ERR_HANDOVER_NO_DESCRIPTOR' });
    expect(() => handOver(listen(), NODE)).toThrow(error);
    expect(() => handOver({ http: listen() }, NODE)).toThrow(
      'The server "http" has no descriptor to hand over: it must be listening',
    );
  });

  test.each(['', 'a:b', 'a\n', 'x'.repeat(256)])('a server with the name %j', async (name) => {
    const server = await listening(listen());
    expect(() => handOver({ [name]: server }, NODE)).toThrow(TypeError);
  });

  test('an empty list of servers', () => {
    expect(() => handOver({}, NODE)).toThrow(TypeError);
  });

  test.each([undefined, null, 'http', [], [listen()], net.createServer(), { http: undefined }, { http: {} }])(
    'an invalid option: %o',
    (servers) => {
      const message = 'servers must be a listening server, or several by name as in { http: server }, not ';
      expect(() => handOver(servers as never, NODE)).toThrow(TypeError);
      expect(() => handOver(servers as never, NODE)).toThrow(message);
    },
  );

  test.each([{ readyTimeout: -1 }, { drain: Number.NaN }])('%o', async (options) => {
    const server = await listening(listen());
    expect(() => handOver(server, NODE, [], options)).toThrow(RangeError);
  });
});
