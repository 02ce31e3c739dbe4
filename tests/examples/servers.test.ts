// The echo, info, half-close and forwarding servers, each with a real peer.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from 'vitest';
import { type Program, run } from '../support/program.js';
import { Client, example } from './support.js';

const nc = (port: number, input: string | Buffer, ...flags: string[]): Promise<Program> =>
  run('nc', [...flags, '127.0.0.1', String(port)], input);

async function connects(port: number): Promise<boolean> {
  const probe = net.connect(port, '127.0.0.1');
  try {
    await once(probe, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    probe.destroy();
  }
}

test('echo-server sends back what it receives, whatever the bytes, and ends after the client', async () => {
  await using server = example('echo-server');
  using client = new Client(await server.port());
  const bytes = randomBytes(1_000_003);

  client.socket.end(bytes);

  expect(await client.ended).toBe('fin');
  expect(client.received.equals(bytes)).toBe(true);
});

test('echo-server lets an open connection finish after Ctrl-C', async () => {
  await using server = example('echo-server', '--drain', 20_000);
  const port = await server.port();
  using client = new Client(port);
  client.socket.write('before\n');
  await client.heard('before\n');

  const exited = server.interrupt();
  // It accepts no more connections.
  while (await connects(port));
  client.socket.end('after\n');

  expect(await client.ended).toBe('fin');
  expect(client.text).toBe('before\nafter\n');
  expect(await exited).toBe(0);
  expect(server.stderr).toBe('');
});

test('echo-server resets a connection that does not finish in time', async () => {
  await using server = example('echo-server', '--drain', 10);
  using client = new Client(await server.port());
  client.socket.write('hello\n');
  await client.heard('hello\n');

  expect(await server.interrupt()).toBe(0);
  expect(await client.ended).toBe('ECONNRESET');
  expect(server.stderr).toMatch(
    /^The connection to 127\.0\.0\.1:\d+ was aborted from this side: .*drain \(10 ms\).*\n$/,
  );
});

test('info-server sends its information to a client that says nothing, and ends', async () => {
  await using server = example('info-server');

  const { stdout, exited } = await nc(await server.port(), '', '-d');

  expect(await exited).toBe(0);
  expect(stdout).toMatch(
    /^time: \d{4}-\d\d-\d\dT[\d:.]+Z\r\nsystem: .+, Node v\d+.*\r\nuptime: \d+ s\r\nyou: 127\.0\.0\.1:\d+\r\n$/,
  );
});

test('half-close-server answers nc -N after all of its input has arrived', async () => {
  await using server = example('half-close-server', '--delay', 20);
  const port = await server.port();
  const text = 'one two\r\n\tthree  four\n\nfünf';

  expect((await nc(port, text, '-N')).stdout).toBe(`3 5 ${Buffer.byteLength(text)}\n`);
  expect((await nc(port, 'word '.repeat(200_000), '-N')).stdout).toBe('0 200000 1000000\n');
  expect((await nc(port, '', '-N')).stdout).toBe('0 0 0\n');
});

test('half-close-server counts a word once if it arrives in two pieces', async () => {
  await using server = example('half-close-server');
  using client = new Client(await server.port());

  client.socket.write('wo', () => client.socket.end('rd\n'));

  expect(await client.ended).toBe('fin');
  expect(client.text).toBe('1 1 5\n');
});

test('port-forwarder forwards both directions and both half-closes', async () => {
  await using target = example('half-close-server');
  await using forwarder = example('port-forwarder', '127.0.0.1', await target.port());

  const { stdout } = await nc(await forwarder.port(), 'word '.repeat(200_000), '-N');

  expect(stdout).toBe('0 200000 1000000\n');
  expect(await forwarder.interrupt()).toBe(0);
  expect(forwarder.stderr).toBe('');
});

test('port-forwarder resets a client whose target cannot be reached, and continues', async () => {
  await using target = example('echo-server');
  const port = await target.port();
  await using forwarder = example('port-forwarder', '127.0.0.1', port);
  const entrance = await forwarder.port();
  expect(await target.interrupt()).toBe(0);

  for (let turn = 1; turn <= 2; turn++) {
    using client = new Client(entrance);
    expect(await client.ended).toBe('ECONNRESET');
  }

  expect(await forwarder.interrupt()).toBe(0);
  expect(forwarder.stderr).toBe(`Cannot connect to 127.0.0.1:${port}: 127.0.0.1 ECONNREFUSED\n`.repeat(2));
});
