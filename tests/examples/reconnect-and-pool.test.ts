// connection-pool and reconnecting-client with the echo-server, and the port-scan-detector with nc.
import { describe, expect, test } from 'vitest';
import { run } from '../support/program.js';
import { rawServer } from '../support/raw-peers.js';
import { example } from './support.js';

describe('connection-pool', () => {
  test('sends all requests over at most the given number of connections', async () => {
    await using server = example('echo-server');
    const requests = ['eins', 'zwei', 'drei', 'vier', 'fünf', 'sechs'];
    await using client = example('connection-pool', '--max', 2, '127.0.0.1', await server.port(), ...requests);

    expect(await client.exited).toBe(0);
    expect(client.stderr).toBe('');
    const lines = client.stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/ \(connection [12]\)$/, '')).sort()).toEqual(
      requests.map((request) => `${request} -> ${request}`).sort(),
    );
    expect(lines.some((line) => line.endsWith('(connection 2)'))).toBe(true);
    // It has closed them.
    expect(await server.interrupt()).toBe(0);
    expect(server.stderr).toBe('');
  });

  test('does not take half a line for an answer', async () => {
    const server = await rawServer((peer) => peer.end('hal'));
    await using client = example('connection-pool', '127.0.0.1', server.port, 'one');

    expect(await client.exited).toBe(1);
    expect(client).toMatchObject({ stdout: '', stderr: expect.stringMatching(/^.*inside a line.*\n$/) });
  });

  test('reports in one line that it may have no connection', async () => {
    await using client = example('connection-pool', '--max', 0, '127.0.0.1', 9, 'hello');

    expect(await client.exited).toBe(2);
    expect(client.stderr).toMatch(/^max must be .*\n$/);
  });
});

describe('reconnecting-client', () => {
  test('reconnects when the server was started again, and sends what was typed meanwhile', async () => {
    await using first = example('echo-server', '--drain', 0);
    const port = await first.port();
    await using client = example('reconnecting-client', '--delay', 20, '127.0.0.1', port);
    client.stdin.write('one\n');
    await client.printed(/^one\n$/);
    expect(await first.interrupt()).toBe(0);
    await client.printed(/^\* attempt 2 in \d+ ms\n/m, 'stderr');
    client.stdin.write('two\nthree\n');
    await using second = example('echo-server', '--port', port);
    await client.printed(/^one\ntwo\nthree\n$/);
    client.stdin.end('four');

    expect(await client.exited).toBe(0);
    expect(client.stdout).toBe('one\ntwo\nthree\nfour\n');
    expect(client.stderr).toMatch(/^\* connected to 127\.0\.0\.1:\d+\n\* .* reset the connection.*\n\* attempt 1 /);
    expect(await second.interrupt()).toBe(0);
    expect(second.stderr).toBe('');
  });

  test('stops at Ctrl-C, connected or not', async () => {
    await using server = example('echo-server');
    const port = await server.port();
    await using connected = example('reconnecting-client', '127.0.0.1', port);
    await connected.printed(/connected/, 'stderr');
    expect(await connected.interrupt()).toBe(0);
    expect(await server.interrupt()).toBe(0);
    await using waiting = example('reconnecting-client', '--delay', 30_000, '127.0.0.1', port);
    await waiting.printed(/attempt 1/, 'stderr');
    expect(await waiting.interrupt()).toBe(0);
  });
});

describe('port-scan-detector', () => {
  const ports = (stdout: string) =>
    [...stdout.matchAll(/^Listening on 127\.0\.0\.1:(\d+)$/gm)].map(([, port]) => port!);

  test('reports clients that touch several ports, and not those that touch one repeatedly', async () => {
    await using detector = example('port-scan-detector', 0, 0, 0, '--within', 60_000);
    await detector.printed(/(Listening.*\n){3}/);
    const [one, two, three] = ports(detector.stdout) as [string, string, string];
    const touch = async (...touched: string[]) => {
      for (const port of touched) expect(await (await run('nc', ['-z', '127.0.0.1', port])).exited).toBe(0);
    };
    await touch(one, one, one, two, two);
    await touch(three);

    await detector.printed(/^127\.0\.0\.1 connected to /m);
    expect(detector.stdout.split('\n').slice(3)).toEqual([
      `127.0.0.1 connected to 3 ports: ${one}, ${two}, ${three}`,
      '',
    ]);
    expect(await detector.interrupt()).toBe(0);
    expect(detector.stderr).toBe('');
  });

  test('reports in one line that a port is not available, and does not continue with the others', async () => {
    await using first = example('echo-server');
    await using detector = example('port-scan-detector', 0, await first.port());

    expect(await detector.exited).toBe(1);
    expect(detector.stderr).toMatch(/^Cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*\n$/);
  });
});
