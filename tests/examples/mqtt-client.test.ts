// The MQTT client with Mosquitto, over TLS with a client certificate.
import { expect, test } from 'vitest';
import { mosquittoFiles, restartMosquitto, startMosquitto } from '../support/mosquitto.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { example } from './support.js';

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const linesOf = (from: number, to: number) =>
  numbers(from, to)
    .map((n) => `${n}\n`)
    .join('');

test('every message arrives though the server is killed in the middle of 100', async () => {
  await using folder = await temporaryFolder();
  const files = await mosquittoFiles(folder.path);
  await using server = await startMosquitto(files);
  await using client = example('mqtt-client', ...files.client, 'localhost', server.port, 'numbers');
  client.stdin.write(linesOf(1, 50));
  await client.printed(/^50$/m);
  // The kernel takes the next messages for it, but it answers none of them.
  server.program.kill('SIGSTOP');
  client.stdin.end(linesOf(51, 100));
  await client.printed(/^> 70$/m, 'stderr');
  server.program.kill('SIGKILL');
  await server.program.exited;

  await using again = await restartMosquitto(files, server.port);

  expect(await client.exited).toBe(0);
  const received = client.stdout.trimEnd().split('\n').map(Number);
  expect([...new Set(received)]).toEqual(numbers(1, 100));
  expect(client.stderr.match(/^\* connected$/gm)).toHaveLength(2);
  await again.printed(/Received DISCONNECT/, 'stderr');
  const [first, second] = [server.program.stderr, again.stderr];
  expect(first).toMatch(/New client connected from 127\.0\.0\.1:\d+ as .* \(p2, c0, k30, u'sensor'\)/);
  expect(first.match(/Received PUBLISH .* \(d0, q1, /g)).toHaveLength(50);
  // Those that were sent before, and the others.
  expect(second.match(/Received PUBLISH .* \(d1, q1, /g)).toHaveLength(20);
  expect(second.match(/Received PUBLISH .* \(d0, q1, /g)).toHaveLength(30);
  // Each message was acknowledged in the other direction too.
  expect(second.match(/Received PUBACK /g)).toHaveLength(50);
});

test('leaves a server that does not answer a ping, and subscribes again on the next connection', async () => {
  await using folder = await temporaryFolder();
  const files = await mosquittoFiles(folder.path);
  await using server = await startMosquitto(files);
  await using client = example('mqtt-client', ...files.client, '--keep-alive', 1, 'localhost', server.port, 'numbers');
  client.stdin.write('1\n');
  await client.printed(/^1\n/);
  await server.program.printed(/Sending PINGRESP/, 'stderr');
  server.program.kill('SIGSTOP');
  await client.printed(/^\* .*: The reply did not come within 1000 ms/m, 'stderr');
  server.program.kill('SIGCONT');
  await client.printed(/\* connected\n.*\n\* connected/, 'stderr');
  client.stdin.end('2\n');

  expect(await client.exited).toBe(0);
  expect(client.stdout).toBe('1\n2\n');
  expect(server.program.stderr.match(/Received SUBSCRIBE/g)).toHaveLength(2);
});

test('does not come again when the server has refused its certificate', async () => {
  await using folder = await temporaryFolder();
  const files = await mosquittoFiles(folder.path);
  await using server = await startMosquitto(files);
  const [ca = '', file = ''] = files.client;
  await using client = example('mqtt-client', ca, file, 'localhost', server.port, 'numbers');

  expect(await client.exited).toBe(1);
  expect(client.stderr).toMatch(/^\* (.*)\n\1\n$/);
  expect(client.stderr).toContain('certificate_required');
});
