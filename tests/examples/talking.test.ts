// The examples that talk to people: the chat, the game and the sniffer, with nc and with other clients.
import { describe, expect, test } from 'vitest';
import { Program, run } from '../support/program.js';
import { Client, type Example, example } from './support.js';

describe('direct-chat', () => {
  test('forwards lines in both directions until one side has ended', async () => {
    await using ann = example('direct-chat', '--listen');
    await using bob = example('direct-chat', '127.0.0.1', await ann.port());
    bob.stdin.write('hello\n');
    await ann.printed(/\n< hello\n$/);
    ann.stdin.write('hi Bob\nhow are you?\n');
    await bob.printed(/\n< hi Bob\n< how are you\?\n$/);
    bob.stdin.end('goodbye');

    expect(await ann.exited).toBe(0);
    expect(await bob.exited).toBe(0);
    expect(ann.stdout).toMatch(/\n\* 127\.0\.0\.1:\d+\n< hello\n< goodbye\n\* goodbye\n$/);
    expect(bob.stdout).toMatch(/^\* 127\.0\.0\.1:\d+\n< hi Bob\n< how are you\?\n\* goodbye\n$/);
    expect(ann.stderr + bob.stderr).toBe('');
  });

  test('prints nothing that a terminal would execute', async () => {
    await using ann = example('direct-chat', '--listen', '0');
    const port = await ann.port();
    using client = new Client(port);
    client.socket.write('\u001B[2Jgone\u0007?\n');
    await ann.printed(/\n< \uFFFD\[2Jgone\uFFFD\?\n$/);
    // A second caller is refused.
    using late = new Client(port);
    expect(await late.ended).toBe('ECONNREFUSED');
    ann.stdin.end('bye\n');

    expect(await client.ended).toBe('fin');
    expect(client.text).toBe('bye\n');
    client.socket.end();
    expect(await ann.exited).toBe(0);
  });

  test('says goodbye at Ctrl-C, while waiting and while talking', async () => {
    await using ann = example('direct-chat', '--listen');
    const port = await ann.port();
    await using bob = example('direct-chat', '127.0.0.1', port);
    await bob.printed(/^\* /);
    await ann.printed(/\n\* /);
    expect(await bob.interrupt()).toBe(0);
    expect(await ann.exited).toBe(0);
    expect(bob.stderr + ann.stderr).toBe('');

    await using waiting = example('direct-chat', '--listen');
    await waiting.port();
    expect(await waiting.interrupt()).toBe(0);
    expect(waiting.stderr).toBe('');
  });

  test('reports in one line that it needs an address to call', async () => {
    await using chat = example('direct-chat');

    expect(await chat.exited).toBe(2);
    expect(chat.stderr).toBe('error: give a host and a port to call, or --listen to wait for a call\n');
  });
});

describe('protocol-sniffer', () => {
  test('prints what curl says, and answers it', async () => {
    await using server = example('protocol-sniffer', '--pause', 50);
    const port = await server.port();
    const url = `http://127.0.0.1:${port}/page?x=%20`;

    const curl = await run('curl', ['--silent', '--show-error', '--max-time', '10', '--noproxy', '*', url]);

    expect(await curl.exited).toBe(0);
    expect(curl.stdout).toMatch(/^You sent \d+ bytes\.\n$/);
    await server.printed(/^127\.0\.0\.1:\d+, \d+ bytes:\nGET \/page\?x=%20 HTTP\/1\.1\\r\\n\nHost: .*\\r\\n\n/m);
    expect(server.stdout).toMatch(/\\r\\n\n\\r\\n\n$/);
  });

  test('prints bytes that are not text by their numbers, and reports the end', async () => {
    await using server = example('protocol-sniffer', '--pause', 60_000);
    using client = new Client(await server.port());
    client.socket.end(Buffer.from([0, 1, 0x16, 0xff, 0x1b, 0x5b, 0x5c, 9, 10, 0x7f, 0x41]));

    expect(await client.ended).toBe('fin');
    expect(client.text).toMatch(/^HTTP\/1\.0 200 OK\r\n(.+\r\n)+Content-Length: 19\r\n\r\nYou sent 11 bytes\.\n$/);
    expect(server.stdout).toMatch(
      /, 11 bytes:\n\\x00\\x01\\x16\\xff\\x1b\[\\\\\\t\\n\n\\x7fA\n127\.0\.0\.1:\d+ sent FIN\n$/,
    );
  });
});

describe('game-lobby', () => {
  async function player(port: number): Promise<Client> {
    const client = new Client(port);
    await client.heard('waiting for an opponent');
    return client;
  }
  const asks = '* rock, paper, scissors?\n';
  const begins = `* waiting for an opponent\n* the game begins\n${asks}`;

  test('tells both players who has won, round after round', async () => {
    await using server = example('game-lobby');
    const port = await server.port();
    using ann = await player(port);
    using bob = await player(port);
    // Bob is faster, and the game waits for Ann.
    bob.socket.write('paper\r\nROCK\nnothing\nscissors\n');
    await ann.heard(asks);
    ann.socket.write('rock\nrock\npaper\n');
    await Promise.all([ann.heard('paper against scissors'), bob.heard('scissors against paper')]);

    expect(ann.text).toContain(
      `${begins}* rock against paper: you lose\n${asks}* rock against rock: nobody wins\n${asks}` +
        '* paper against scissors: you lose\n',
    );
    expect(bob.text).toContain(
      `${begins}* paper against rock: you win\n${asks}* rock against rock: nobody wins\n${asks}${asks}` +
        '* scissors against paper: you win\n',
    );
  });

  test('can be played with nc', async () => {
    await using server = example('game-lobby');
    const nc = ['-N', '127.0.0.1', String(await server.port())];
    await using ann = new Program('nc', nc);
    await using bob = new Program('nc', nc);
    for (const player of [ann, bob]) await player.printed(/\n\* rock, paper, scissors\?\n$/);
    ann.stdin.write('rock\n');
    bob.stdin.write('paper\n');
    await ann.printed(/^\* rock against paper: you lose\n/m);
    await bob.printed(/^\* paper against rock: you win\n/m);
    bob.stdin.end();

    expect(await bob.exited).toBe(0);
    ann.stdin.write('rock\n');
    await ann.printed(/\n\* your opponent has left\n\* waiting for an opponent\n$/);
  });

  test('finds a new opponent for a player who is left alone', async () => {
    await using server = example('game-lobby', '--drain', 0);
    const port = await server.port();
    using ann = await player(port);
    using bob = await player(port);
    await bob.heard(asks);
    bob.socket.end();
    expect(await bob.ended).toBe('fin');
    ann.socket.write('rock\n');
    await ann.heard('* your opponent has left\n* waiting for an opponent');
    ann.clear();
    using eve = await player(port);
    await eve.heard(asks);
    await ann.heard(asks);
    eve.socket.write('scissors\n');
    ann.socket.write('rock\n');
    await ann.heard('* rock against scissors: you win\n');
  });

  test.each([
    [
      'leaves',
      async (client: Client) => {
        client.socket.end('typed while waiting\n');
        expect(await client.ended).toBe('fin');
      },
    ],
    [
      'is cut off',
      async (client: Client, server: Example) => {
        client.socket.resetAndDestroy();
        await server.printed(/reset the connection/, 'stderr');
      },
    ],
  ])('does not match a player who %s while waiting', async (_title, leave) => {
    await using server = example('game-lobby', '--drain', 0);
    const port = await server.port();
    using gone = await player(port);
    await leave(gone, server);
    using ann = await player(port);
    using bob = await player(port);
    await bob.heard(asks);
    ann.socket.write('rock\n');
    bob.socket.write('rock\n');
    await ann.heard(`nobody wins\n${asks}`);

    expect(ann.text).toBe(`${begins}* rock against rock: nobody wins\n${asks}`);
  });
});
