// What all examples have in common: a first line that says what they show, help, Ctrl-C, and one line for an error.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { closedPort } from '../support/raw-peers.js';
import { example, examples, servers, sourceOf } from './support.js';

const folder = await mkdtemp(path.join(tmpdir(), 'rxsock-examples-'));
afterAll(() => rm(folder, { recursive: true }));

const listening: [string, ...string[]][] = [
  ...servers.map((name): [string] => [name]),
  ['file-server', folder],
  ['port-forwarder', '127.0.0.1', '9'],
  ['receive-file', path.join(folder, 'copy')],
];

test('all examples are listed here and in their README', async () => {
  const files = (await Promise.all(['run', 'dns-client'].map((name) => readdir(new URL('.', sourceOf(name))))))
    .flat()
    .filter((file) => file.endsWith('.ts'));
  const readme = await readFile(new URL('README.md', sourceOf('')), 'utf8');

  expect(files.sort()).toEqual([...examples, 'cli', 'run'].map((name) => `${name}.ts`).sort());
  for (const name of examples) expect(readme).toContain(`npm run example -- ${name} `);
});

describe.each(examples)('example %s', (name) => {
  test('says what it shows and how to use it', async () => {
    const [firstLine] = (await readFile(sourceOf(name), 'utf8')).split('\n');
    await using program = example(name, '--help');

    expect(await program.exited).toBe(0);
    expect(firstLine).toMatch(/^\/\/ [A-Z].*\.$/);
    expect(program.stdout).toMatch(new RegExp(`^Usage: ${name} \\[options\\]`));
    expect(program.stdout).toContain('\nTry it');
    expect(program.stderr).toBe('');
  });
});

describe.each(listening)('server %s', (name, ...args) => {
  test('stops at Ctrl-C', async () => {
    await using program = example(name, ...args);
    await program.port();

    expect(await program.interrupt()).toBe(0);
    expect(program.stderr).toBe('');
  });

  test('reports in one line that it cannot listen', async () => {
    await using first = example(name, ...args);
    await using second = example(name, '--port', await first.port(), ...args);

    expect(await second.exited).toBe(1);
    expect(second.stderr).toMatch(/^Cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*\n$/);
    expect(second.stdout).toBe('');
    first.kill('SIGTERM');
    expect(await first.exited).toBe(0);
  });
});

describe.each([
  ['connection-pool', (port: string) => ['127.0.0.1', port, 'hello']],
  ['direct-chat', (port: string) => ['127.0.0.1', port]],
  ['downloader', (port: string) => ['127.0.0.1', port, 'package.json']],
  ['http-client', (port: string) => ['127.0.0.1', port]],
  ['request-response', (port: string) => ['127.0.0.1', port, 'hello']],
  ['request-response', (port: string) => ['127.0.0.1', port, 'hello', '--with', 'for-await']],
  ['send-file', (port: string) => ['127.0.0.1', port, 'package.json']],
  ['smtp-client', (port: string) => ['127.0.0.1', port, 'package.json', '--from', 'a@x.test', '--to', 'b@x.test']],
  ['spamd-client', (port: string) => ['CHECK', '127.0.0.1', port]],
  ['starttls-client', (port: string) => ['127.0.0.1', port]],
  ['tls-client', (port: string) => ['127.0.0.1', port]],
])('client %s', (name, argsFor) => {
  test('reports in one line that nobody listens', async () => {
    const port = String(await closedPort());
    await using program = example(name, ...argsFor(port));

    expect(await program.exited).toBe(1);
    expect(program.stderr).toBe(`Cannot connect to 127.0.0.1:${port}: 127.0.0.1 ECONNREFUSED\n`);
    expect(program.stdout).toBe('');
  });
});

test.each([
  ['echo-server', '--port', '65536'],
  ['http-client', '127.0.0.1', 'http'],
])('%s reports an invalid port in one line', async (...command) => {
  await using program = example(...command);

  expect(await program.exited).toBe(2);
  expect(program.stderr).toMatch(/^error: .*a whole number from 0 to 65535\.\n$/);
});

test.each([
  ['mqtt-client', ['localhost', '8883', 'rooms/#'], 'a topic, without + and #'],
  ['mqtt-client', ['localhost', '8883', ''], 'a topic, without + and #'],
  ['mqtt-client', ['localhost', '8883', 'rooms', '--keep-alive', '65536'], 'a whole number from 1 to 65535'],
  ['mqtt-client', ['localhost', '8883', 'rooms', '--keep-alive', '0'], 'a whole number from 1 to 65535'],
  ['multicast-discovery', ['--every', '0'], 'a whole number from 1 to 600000'],
  ['port-scan-detector', ['0', '--threshold', '0'], 'a whole number from 1 to 65535'],
  ['irc-bot', ['localhost', '6667', 'rxsock'], 'a channel, such as #rxsock'],
  ['irc-bot', ['localhost', '6667', '#rxsock', '--nick', 'x y'], 'a name without spaces'],
] as const)('%s %j reports in one line what it must be', async (name, args, expected) => {
  await using program = example(name, ...args);

  expect(await program.exited).toBe(2);
  expect(program.stderr).toMatch(/^error: .*\n$/);
  expect(program.stderr).toContain(`It must be ${expected}.`);
});

describe('npm run example', () => {
  test('runs an example by its name', async () => {
    await using program = example('run', 'echo-server', '--help');

    expect(await program.exited).toBe(0);
    expect(program.stdout).toMatch(/^Usage: echo-server /);
  });

  test.each([
    ['without a name', []],
    ['for an unknown name', ['cli']],
  ])('lists them %s', async (_title, args) => {
    await using program = example('run', ...args);

    expect(await program.exited).toBe(2);
    for (const name of examples) expect(program.stderr).toContain(`\n  ${name}\n`);
  });
});
