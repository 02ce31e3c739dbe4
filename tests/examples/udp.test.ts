// The UDP examples: with socat and nc, with a server that loses datagrams, and with each other by multicast.
import dgram from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Program } from '../support/program.js';
import { example } from './support.js';

describe('udp-echo-server', () => {
  test('sends back to socat what it receives', async () => {
    await using server = example('udp-echo-server');
    await using client = new Program('socat', ['-', `UDP4:127.0.0.1:${await server.port()}`]);
    client.stdin.write('hello\n');
    await client.printed(/^hello\n$/);
    client.stdin.write('a second one, from a client that is known\n');
    await client.printed(/known\n$/);

    expect(await server.interrupt()).toBe(0);
    expect(server.stderr).toBe('');
  });

  test('reports in one line that the port is not available', async () => {
    await using first = example('udp-echo-server');
    const port = await first.port();
    await using second = example('udp-echo-server', '--port', port);

    expect(await second.exited).toBe(1);
    expect(second.stderr).toMatch(/^.*EADDRINUSE.*\n$/);
  });
});

describe('udp-client', () => {
  /** A server that answers the last of `asked` datagrams, after a stranger has answered. */
  async function losing(asked: number): Promise<Disposable & { readonly port: number; readonly heard: string[] }> {
    const server = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    const stranger = dgram.createSocket('udp4');
    const heard: string[] = [];
    server.on('message', (bytes, from) => {
      heard.push(bytes.toString());
      if (heard.length < asked) return;
      stranger.send('forged', from.port, from.address, () => server.send('an answer', from.port, from.address));
    });
    await once(server, 'listening');
    const close = () => {
      server.close();
      stranger.close();
    };
    return { port: (server.address() as AddressInfo).port, heard, [Symbol.dispose]: close };
  }

  test('prints the reply of the udp-echo-server', async () => {
    await using server = example('udp-echo-server');
    await using client = example('udp-client', '127.0.0.1', await server.port(), 'zwölf Boxkämpfer');

    expect(await client.exited).toBe(0);
    expect(client.stdout).toBe('zwölf Boxkämpfer\n');
    expect(client.stderr).toBe('');
  });

  test('asks again when the request was lost, and ignores replies from strangers', async () => {
    using server = await losing(3);
    await using client = example('udp-client', '--timeout', 50, '--retries', 1_000, '127.0.0.1', server.port, 'hello');

    expect(await client.exited).toBe(0);
    expect(client.stdout).toBe('an answer\n');
    expect(server.heard.slice(0, 3)).toEqual(['hello', 'hello', 'hello']);
  });

  test('reports in one line that nobody replies', async () => {
    using server = await losing(Number.POSITIVE_INFINITY);
    await using client = example('udp-client', '--timeout', 20, '--retries', 1, '127.0.0.1', server.port, 'hello');

    expect(await client.exited).toBe(1);
    expect(client.stderr).toBe(`No reply from 127.0.0.1:${server.port} after 2 attempts with a timeout of 20 ms\n`);
    expect(server.heard).toEqual(['hello', 'hello']);
  });

  test.each(['-1', 'often', '1.5'])('reports in one line that %s is not a number of retries', async (retries) => {
    await using client = example('udp-client', '127.0.0.1', 9, 'hello', '--retries', retries);

    expect(await client.exited).toBe(2);
    expect(client.stderr).toMatch(/^error: .*a whole number from 0 to .*\.\n$/);
  });
});

describe('multicast-discovery', () => {
  // A group and a port that no other program is likely to use.
  const byte = () => Math.floor(Math.random() * 254) + 1;
  const options = [
    ...['--interface', '127.0.0.1', '--group', `239.255.${byte()}.${byte()}`],
    ...['--port', 20_000 + Math.floor(Math.random() * 10_000)],
  ];
  const member = (name: string, every: number) =>
    example('multicast-discovery', ...options, '--every', every, '--name', name);

  test('lists who joins, who says goodbye, and who falls silent', async () => {
    // A peer is silent after three of its own intervals without a message.
    await using ann = member('Ann', 1_000);
    // With such a long interval, a peer is removed only when it says goodbye.
    await using pat = member('Pat', 60_000);
    await using bob = member('Zoë & Bob', 100);
    await pat.printed(/^\+ Zoë & Bob at /m);
    await ann.printed(/^\+ Zoë & Bob at 127\.0\.0\.1\n/m);
    await bob.printed(/^\+ Ann at 127\.0\.0\.1\n/m);
    await using eve = member('Eve', 100);
    await ann.printed(/^\+ Eve at 127\.0\.0\.1\n/m);
    await eve.printed(/^\+ Zoë & Bob at 127\.0\.0\.1\n/m);

    expect(await eve.interrupt()).toBe(0);
    await ann.printed(/^- Eve at 127\.0\.0\.1\n/m);
    await pat.printed(/^- Eve at 127\.0\.0\.1\n/m);
    bob.kill('SIGKILL');
    await ann.printed(/^- Zoë & Bob at 127\.0\.0\.1\n/m);

    expect(await ann.interrupt()).toBe(0);
    expect(ann.stdout.replace(/^. Pat .*\n/gm, '')).toBe(
      ['+ Zoë & Bob', '+ Eve', '- Eve', '- Zoë & Bob'].map((line) => `${line} at 127.0.0.1\n`).join(''),
    );
    expect(await pat.interrupt()).toBe(0);
    expect(ann.stderr + pat.stderr).toBe('');
  });

  test('reports in one line that there is no such group', async () => {
    await using program = example('multicast-discovery', '--group', '10.0.0.1');

    expect(await program.exited).toBe(2);
    expect(program.stderr).toBe("group must be a multicast address, not '10.0.0.1'\n");
  });
});
