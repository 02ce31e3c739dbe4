// What util.inspect shows: one line of everything, in every state, and never an error.
import type net from 'node:net';
import { inspect } from 'node:util';
import {
  ConnectionPool,
  connect,
  connectionPool,
  jsonLines,
  lines,
  linesCodec,
  listen,
  on,
  ReconnectingSocket,
  reconnect,
  Server,
  Socket,
} from '@rxsock/core';
import { SocketGroup, SocketRegistry } from '@rxsock/core/registry';
import { firstValueFrom, of } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';

async function started(): Promise<{ server: Server; port: number }> {
  const server = listen();
  server.subscribe();
  onTestFinished(() => server.close({ drain: 0 }));
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  return { server, port: (address as net.AddressInfo).port };
}

test('a server shows its address and how many sockets it has, and with a depth the sockets', async () => {
  const { server, port } = await started();
  server.name = 'web';
  const socket = connect({ port });
  onTestFinished(() => socket.error());
  record(socket);
  await firstValueFrom(server.pipe(on('connection')));
  expect(inspect(server)).toBe(`Server #${server.id} 'web' tcp listening 127.0.0.1:${port} (1 socket)`);
  expect(inspect(server, { depth: 1 })).toMatch(/sockets: \[ Socket #\d+ tcp open .* \]/);
  await server.close({ drain: 0 });
  expect(inspect(server)).toBe(`Server #${server.id} 'web' tcp closed (0 sockets)`);
});

test('what is inside of something else is a line, whatever the depth', () => {
  const socket = connect({ port: 1 });
  const line = `Socket #${socket.id} tcp idle → localhost:1`;
  expect(inspect({ socket })).toBe(`{ socket: ${line} }`);
  expect(inspect({ socket }, { depth: 1 })).toBe(`{ socket: ${line} }`);
  expect(inspect(socket, { depth: null })).toContain("readyState: 'idle'");
});

test('registries, groups, pools and reconnecting sockets show what they have', async () => {
  const { port } = await started();
  const registry = new SocketRegistry();
  registry.add(connect({ port }), 'one');
  registry.add(connect({ port }), 'two');
  expect(inspect(registry)).toBe('SocketRegistry (2 sockets)');
  expect(inspect(registry, { depth: 1 })).toMatch(/Socket #\d+ 'one' tcp idle.*\n.*Socket #\d+ 'two' tcp idle/);
  expect(inspect(registry.match('o*'))).toBe('SocketGroup (1 socket)');
  const pool = connectionPool(() => connect({ port }));
  onTestFinished(() => pool.close({ drain: 0 }));
  expect(inspect(pool)).toBe('ConnectionPool (0 connections, 0 idle, 0 acquire() waiting)');
  pool.name = 'redis';
  await firstValueFrom(pool.acquire());
  expect(inspect(pool)).toMatch(/^ConnectionPool 'redis' \(1 connection, /);
  const link = reconnect(() => connect({ port }));
  onTestFinished(() => link.error());
  expect(inspect(link)).toBe(`ReconnectingSocket idle → localhost:${port}`);
  record(link);
  await firstValueFrom(link.pipe(on('connect')));
  expect(inspect(link)).toMatch(/^ReconnectingSocket open \(Socket #\d+ tcp open .*\)$/);
});

test('a hostile name or mark does no harm', () => {
  const socket = connect({ port: 1 });
  socket.name = Symbol('name') as never;
  expect(inspect(socket)).toContain('Symbol(name)');
  socket.name = {
    get [inspect.custom]() {
      throw new Error('no');
    },
  } as never;
  expect(inspect(socket)).toBe('[Socket]');
  socket.name = 'two\nlines';
  expect(inspect(socket)).toContain("'two\\nlines'");
  socket.mark = {
    toJSON() {
      throw new Error('no');
    },
  };
  expect(() => inspect(socket, { depth: 1 })).not.toThrow();
});

test.each([
  ['Socket', Socket],
  ['Server', Server],
  ['SocketRegistry', SocketRegistry],
  ['SocketGroup', SocketGroup],
  ['ConnectionPool', ConnectionPool],
  ['ReconnectingSocket', ReconnectingSocket],
])('what only looks like a %s does not throw', (_, kind: { readonly prototype: object }) => {
  for (const depth of [0, 1, 2, null, Number.NaN, -1]) {
    expect(typeof inspect(Object.create(kind.prototype), { depth })).toBe('string');
    expect(typeof inspect(kind.prototype, { depth })).toBe('string');
  }
});

test('a frame error of received bytes is a line without them; one of an encoder keeps its stack', async () => {
  const { error } = await record(of(Buffer.from('{"password": hunter2}\n')).pipe(jsonLines())).ended;
  expect(inspect(error)).toBe('JsonLineError ERR_FRAME_MALFORMED: Line 1 is not valid JSON');
  expect(inspect(error, { depth: 1 })).toMatch(/phase: 'read'.*line: 1/);
  expect(inspect(error, { depth: 1 })).not.toContain('hunter2');
  const { error: long } = await record(of(Buffer.alloc(99, 'x')).pipe(lines({ maxLength: 9 }))).ended;
  expect(inspect(long)).toMatch(/^FrameTooLongError ERR_FRAME_TOO_LONG: [^\n]*9[^\n]*$/);
  let refused: unknown;
  try {
    linesCodec().encode('two\nlines');
  } catch (thrown) {
    refused = thrown;
  }
  expect(inspect(refused)).toContain('\n    at ');
});
