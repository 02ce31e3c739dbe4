// singleInstance(): the first instance gets the arguments of later ones. A different program on the port is recognised.
import net from 'node:net';
import { connect, listen } from '@rxsock/core';
import { isPortFree } from '@rxsock/core/lookup';
import { type InstanceEvent, type SingleInstanceOptions, singleInstance } from '@rxsock/core/process';
import { VirtualClock } from '@rxsock/core/testing';
import { retry, timer } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { instancePort } from '../../../../tests/support/processes/index.js';
import { drainRaw, rawServer } from '../../../../tests/support/raw-peers.js';
import { type Recording, record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

type Choice = Partial<Pick<SingleInstanceOptions, 'name' | 'args' | 'timeout' | 'scheduler'>> & {
  readonly port: number;
};

/** Tries to be the first instance. Gives the port up when the test is over. */
function instance(choice: Choice): Recording<InstanceEvent> {
  const recording = record<InstanceEvent>(singleInstance({ name: 'editor', args: [], ...choice }));
  onTestFinished(() => recording.subscription.unsubscribe());
  return recording;
}

/** Starts the first instance. */
async function first(choice: Choice): Promise<Recording<InstanceEvent>> {
  const recording = instance(choice);
  await expect.poll(() => recording.log).toEqual(['acquired']);
  return recording;
}

const greeting = (name = 'editor') => `${JSON.stringify({ singleInstance: 1, name, pid: 17 })}\n`;

describe('the first instance', () => {
  test('emits where it listens, and the arguments of later instances', async () => {
    const port = await instancePort();
    const { values } = await first({ port });
    const address = { address: '127.0.0.1', port, family: 'IPv4' };
    expect(values).toEqual([{ type: 'acquired', address, release: expect.any(Function) }]);
    const args = ['b.txt', '', 'ü\n"', '--line=3'];
    const second = instance({ port, args });
    expect((await second.ended).error).toMatchObject({
      name: 'AlreadyRunningError',
      code: 'ERR_ALREADY_RUNNING',
      phase: 'open',
      delivered: true,
      pid: process.pid,
      remote: address,
      message: `"editor" is already running as process ${process.pid} and has received the arguments`,
    });
    expect(second.log).toEqual(['error:ERR_ALREADY_RUNNING']);
    expect(values.slice(1)).toEqual([{ type: 'launch', args, cwd: process.cwd(), pid: process.pid }]);
  });

  test('gets the arguments of the process if none are given', async () => {
    const port = await instancePort();
    const { values } = await first({ port });
    const { ended } = record(singleInstance({ name: 'editor', port }));
    await ended;
    expect(values[1]).toMatchObject({ args: process.argv.slice(2) });
  });

  test.each([
    ['release()', ({ values }: Recording<InstanceEvent>) => (values[0] as { release: () => void }).release()],
    ['unsubscribing', ({ subscription }: Recording<InstanceEvent>) => subscription.unsubscribe()],
  ])('gives the port up at once by %s', async (method, leave) => {
    const port = await instancePort();
    const one = await first({ port });
    leave(one);
    expect(one.log.slice(1)).toEqual(method === 'release()' ? ['complete'] : []);
    await first({ port });
  });

  test('may leave before it has confirmed the arguments: then the later instance becomes the first', async () => {
    const port = await instancePort();
    const log: string[] = [];
    const going = singleInstance({ name: 'editor', port }).subscribe(({ type }) => {
      log.push(type);
      if (type === 'launch') going.unsubscribe();
    });
    onTestFinished(() => going.unsubscribe());
    await expect.poll(() => log).toEqual(['acquired']);
    await first({ port });
    expect(log).toEqual(['acquired', 'launch']);
  });

  test('is awaited by retry()', async () => {
    const port = await instancePort();
    const one = await first({ port });
    const waiting = record(singleInstance({ name: 'editor', port }).pipe(retry({ delay: () => timer(5) })));
    onTestFinished(() => waiting.subscription.unsubscribe());
    await expect.poll(() => one.log.length).toBeGreaterThan(3);
    expect(waiting.log).toEqual([]);
    one.subscription.unsubscribe();
    await expect.poll(() => waiting.log).toEqual(['acquired']);
  });

  test.each([
    ['HTTP', 'POST / HTTP/1.1\r\n\r\n{"args":[],"cwd":"/","pid":1}\n'],
    ['no arguments', '{"cwd":"/","pid":1}\n'],
    ['arguments that are no strings', '{"args":[1],"cwd":"/","pid":1}\n'],
    ['no directory', '{"args":[],"pid":1}\n'],
    ['no process', '{"args":[],"cwd":"/"}\n'],
    ['no object', 'null\n'],
    ['a part of a message', '{"args":[],"cwd":"/","pid":1}'],
    ['nothing', ''],
    ['too much', `{"args":["${'x'.repeat(1_048_576)}"],"cwd":"/","pid":1}\n`],
  ])('ignores an invalid message, and continues: %s', async (_what, text) => {
    const port = await instancePort();
    const warned = vi.spyOn(process, 'emitWarning');
    onTestFinished(() => warned.mockRestore());
    const { log } = await first({ port });
    const peer = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void peer.destroy());
    const drained = drainRaw(peer);
    peer.end(text);
    expect((await drained).bytes.toString()).not.toContain('taken');
    await instance({ port }).ended;
    expect(log).toEqual(['acquired', 'launch']);
    expect(warned).not.toHaveBeenCalled();
  });

  test('hangs up on a client that says nothing within timeout', async () => {
    const port = await instancePort();
    const scheduler = new VirtualClock();
    const { log } = await first({ port, scheduler, timeout: 1000 });
    const peer = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
    await new Promise((resolve) => peer.once('readable', resolve));
    expect(String(peer.read())).toBe(greeting().replace('17', String(process.pid)));
    scheduler.tick(999);
    await turns();
    expect(peer.destroyed).toBe(false);
    scheduler.tick(1);
    expect((await drainRaw(peer)).end).toBe('ECONNRESET');
    expect(log).toEqual(['acquired']);
  });

  test('keeps no timer for a client that came and went', async () => {
    const port = await instancePort();
    const scheduler = new VirtualClock();
    const { log } = await first({ port, scheduler });
    await instance({ port }).ended;
    expect(log).toEqual(['acquired', 'launch']);
    await expect.poll(() => scheduler.tick(1) ?? scheduler.actions).toEqual([]);
  });
});

describe('another program on the port', () => {
  test.each([
    ['says something else', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['says JSON', '{"name":"editor","pid":17}\n'],
    ['says that it is another', greeting('viewer')],
    ['never stops', 'x'.repeat(2_000_000)],
  ])('gets no arguments: %s', async (_how, text) => {
    const server = await rawServer((peer) => peer.write(text));
    const { ended } = instance({ port: server.port, args: ['secret'] });
    const received = drainRaw(await server.next());
    expect((await ended).error).toMatchObject({
      name: 'ForeignListenerError',
      code: 'ERR_FOREIGN_LISTENER',
      phase: 'open',
      remote: { address: '127.0.0.1', port: server.port },
      message: expect.stringContaining(
        `Something listens on 127.0.0.1:${server.port} but did not identify itself as "editor"`,
      ),
    });
    expect((await received).bytes.toString()).toBe('');
  });

  test('is detected if it says nothing', async () => {
    const scheduler = new VirtualClock();
    const server = await rawServer();
    const { log, ended } = instance({ port: server.port, timeout: 1000, scheduler });
    const peer = await server.next();
    await expect.poll(() => scheduler.actions.length).toBeGreaterThan(0);
    scheduler.tick(999);
    await turns();
    expect(log).toEqual([]);
    scheduler.tick(1);
    expect((await ended).error).toMatchObject({ code: 'ERR_FOREIGN_LISTENER', cause: { timeout: 'timeout' } });
    expect((await drainRaw(peer)).bytes.toString()).toBe('');
  });

  test('is detected if it always hangs up', async () => {
    const server = await rawServer((peer) => peer.end());
    const { ended } = instance({ port: server.port, timeout: 200 });
    expect((await ended).error).toMatchObject({
      code: 'ERR_FOREIGN_LISTENER',
      cause: { message: 'The listener closed the connection' },
    });
    expect(server.peers.length).toBeGreaterThan(1);
  });
});

describe('the later instance', () => {
  test('fails if the first does not confirm the arguments within timeout', async () => {
    const scheduler = new VirtualClock();
    const server = await rawServer((peer) => peer.write(greeting()));
    const { log, ended } = instance({ port: server.port, args: ['a'], timeout: 1000, scheduler });
    const peer = await server.next();
    await new Promise((resolve) => peer.once('readable', resolve));
    const launch = { args: ['a'], cwd: process.cwd(), pid: process.pid };
    expect(JSON.parse(String(peer.read()))).toEqual(launch);
    scheduler.tick(999);
    await turns();
    expect(log).toEqual([]);
    scheduler.tick(1);
    expect((await ended).error).toMatchObject({
      code: 'ERR_ALREADY_RUNNING',
      delivered: false,
      pid: 17,
      cause: { name: 'SocketTimeoutError', timeout: 'timeout', milliseconds: 1000 },
    });
  });

  test('fails if the first answers something else', async () => {
    const server = await rawServer((peer) => peer.write(`${greeting()}{"taken":false}\n`));
    expect((await instance({ port: server.port }).ended).error).toMatchObject({
      code: 'ERR_ALREADY_RUNNING',
      delivered: false,
      cause: { message: 'The first instance did not confirm the arguments' },
    });
  });

  test('fails if its arguments are longer than a message may be', async () => {
    const port = await instancePort();
    const { log } = await first({ port });
    expect((await instance({ port, args: ['x'.repeat(1_048_576)] }).ended).error).toMatchObject({
      code: 'ERR_ALREADY_RUNNING',
      delivered: false,
      cause: { code: 'ERR_FRAME_TOO_LONG' },
    });
    expect(log).toEqual(['acquired']);
  });

  test.each(['', greeting()])('becomes the first if the first leaves after it has said %j', async (text) => {
    const server = await rawServer((peer) => peer.end(text));
    const scheduler = new VirtualClock();
    const later = instance({ port: server.port, timeout: 100_000, scheduler });
    await server.next();
    server.close();
    await expect.poll(() => scheduler.tick(20) ?? later.log).toEqual(['acquired']);
    scheduler.tick(100_000);
    await turns();
    expect(later.log).toEqual(['acquired']);
  });

  test('fails if the first always hangs up after it has introduced itself', async () => {
    const server = await rawServer((peer) => peer.end(greeting()));
    expect((await instance({ port: server.port, timeout: 200 }).ended).error).toMatchObject({
      code: 'ERR_ALREADY_RUNNING',
      delivered: false,
      pid: 17,
      cause: { message: 'The listener closed the connection' },
    });
  });

  test('fails if the first leaves and another program takes its port', async () => {
    const server = await rawServer((peer) =>
      peer.end(server.peers.length === 1 ? greeting() : 'SSH-2.0-OpenSSH_9.6\r\n'),
    );
    expect((await instance({ port: server.port }).ended).error).toMatchObject({ code: 'ERR_FOREIGN_LISTENER' });
    expect(server.peers).toHaveLength(2);
  });

  test('is seen by the first to end, not to reset', async () => {
    const server = await rawServer((peer) => peer.write(greeting()));
    const { ended } = instance({ port: server.port });
    const peer = await server.next();
    await new Promise((resolve) => peer.once('readable', resolve));
    peer.read();
    peer.write('{"taken":true}\n');
    await ended;
    expect((await drainRaw(peer)).end).toBe('end');
  });
});

test('unsubscribing while it asks leaves nothing behind', async () => {
  const server = await rawServer();
  const { log, subscription } = instance({ port: server.port });
  const peer = await server.next();
  subscription.unsubscribe();
  // It ends with a FIN, even where the connection was not open yet on the other side.
  expect((await drainRaw(peer)).bytes.toString()).toBe('');
  await turns();
  expect([log, server.peers.length]).toEqual([[], 1]);
});

test('unsubscribing before the next try leaves the port free', async () => {
  const server = await rawServer((peer) => peer.end());
  const scheduler = new VirtualClock();
  const { log, subscription } = instance({ port: server.port, timeout: 100_000, scheduler });
  await expect.poll(() => scheduler.actions.map(({ delay }) => delay)).toContain(20);
  server.close();
  subscription.unsubscribe();
  scheduler.tick(20);
  await turns();
  expect(await isPortFree(server.port)).toBe(true);
  expect(log).toEqual([]);
});

describe('a custom transport', () => {
  test('is used through its two functions', async () => {
    const port = await instancePort();
    const transport = { listen: () => listen({ port }), connect: () => connect({ port, host: '127.0.0.1' }) };
    const one = record(singleInstance({ name: 'editor', ...transport }));
    onTestFinished(() => one.subscription.unsubscribe());
    await expect.poll(() => one.log).toEqual(['acquired']);
    const { error } = await record(singleInstance({ name: 'editor', args: ['a'], ...transport })).ended;
    expect(error).toMatchObject({ code: 'ERR_ALREADY_RUNNING', delivered: true });
    expect(one.log).toEqual(['acquired', 'launch']);
  });

  test('that may not listen, or whose functions throw, is an error like any other', async () => {
    const port = await instancePort();
    const denied = { listen: () => listen({ port, host: '203.0.113.7' }), connect: () => connect({ port }) };
    expect((await record(singleInstance({ name: 'x', ...denied })).ended).error).toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
    const wrong = { ...denied, listen: () => listen({ port: -1 }) };
    expect((await record(singleInstance({ name: 'x', ...wrong })).ended).error).toBeInstanceOf(RangeError);
    const server = await rawServer();
    const unreachable = { listen: () => listen({ port: server.port }), connect: () => connect({ port: -1 }) };
    expect((await record(singleInstance({ name: 'x', ...unreachable })).ended).error).toBeInstanceOf(RangeError);
  });
});

describe('rejects at the call', () => {
  test.each([0, -1, 65_536, 1.5, '80', Number.NaN])('the port %o', (port) => {
    expect(() => singleInstance({ name: 'x', port: port as number })).toThrow(
      typeof port === 'number' ? RangeError : TypeError,
    );
  });

  test.each([
    { name: '', port: 1 },
    { port: 1 },
    { name: 'x' },
    { name: 'x', listen },
    { name: 'x', port: 1, args: 'a' },
    { name: 'x', port: 1, args: [1] },
  ])('%o', (options) => {
    expect(() => singleInstance(options as SingleInstanceOptions)).toThrow(TypeError);
  });

  test('a path together with the two functions', () => {
    const message = 'listen: () => unix.listen({ path, removeStale: true }) and connect: () => unix.connect({ path })';
    expect(() => singleInstance({ name: 'x', path: '/tmp/x' } as never)).toThrow(message);
  });

  test('a timeout of NaN', () => {
    expect(() => singleInstance({ name: 'x', port: 1, timeout: Number.NaN })).toThrow(RangeError);
  });
});
