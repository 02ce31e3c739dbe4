// The client that asks line by line, in both versions.
import { describe, expect, test } from 'vitest';
import { rawServer } from '../support/raw-peers.js';
import { example } from './support.js';

describe.each(['reader', 'for-await'])('request-response --with %s', (way) => {
  test('prints the answer to each request', async () => {
    await using server = example('echo-server');
    await using client = example(
      'request-response',
      '--with',
      way,
      '127.0.0.1',
      await server.port(),
      'one',
      'zwölf',
      '3',
    );

    expect(await client.exited).toBe(0);
    expect(client.stdout).toBe('one -> one\nzwölf -> zwölf\n3 -> 3\n');
    expect(client.stderr).toBe('');
    // It has left nothing open: the server has no connection to wait for.
    expect(await server.interrupt()).toBe(0);
    expect(server.stderr).toBe('');
  });

  test('fails when the server ends before it has answered', async () => {
    await using server = example('info-server');
    const requests = ['1', '2', '3', '4', '5'];
    await using client = example('request-response', '--with', way, '127.0.0.1', await server.port(), ...requests);

    expect(await client.exited).toBe(1);
    expect(client.stdout).toMatch(/^1 -> time: .*\n2 -> .*\n3 -> .*\n4 -> you: .*\n$/);
    expect(client.stderr).toBe('The server ended the connection before it answered\n');
  });

  test('does not take half a line for an answer', async () => {
    const server = await rawServer((peer) => peer.end('hal'));
    await using client = example('request-response', '--with', way, '127.0.0.1', server.port, 'one');

    expect(await client.exited).toBe(1);
    expect(client).toMatchObject({ stdout: '', stderr: expect.stringMatching(/^.*inside a line.*\n$/) });
  });
});
