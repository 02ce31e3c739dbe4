// The HTTP examples: the server with curl, the client with the server and with Node's own.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { run } from '../support/program.js';
import { Client, example } from './support.js';

const options = ['--silent', '--show-error', '--max-time', '10', '--noproxy', '*'];
const curl = (...args: string[]) => run('curl', [...options, ...args]);

describe('http-server', () => {
  test('answers curl: GET, HEAD, a missing page, a method that is not allowed', async () => {
    await using server = example('http-server');
    const url = `http://127.0.0.1:${await server.port()}`;

    const get = await curl('--include', `${url}/`);
    expect(await get.exited).toBe(0);
    expect(get.stdout).toMatch(
      /^HTTP\/1\.0 200 OK\r\n(.+\r\n)*Content-Length: 19\r\n(.+\r\n)*\r\nHello from rxsock!\n$/,
    );

    const head = await curl('--head', `${url}/`);
    expect(await head.exited).toBe(0);
    expect(head.stdout).toMatch(/^HTTP\/1\.0 200 OK\r\n(.+\r\n)*Content-Length: 19\r\n(.+\r\n)*\r\n$/);

    const nothing = await curl('--write-out', '%{http_code}', `${url}/nothing`);
    expect(nothing.stdout).toBe('There is no such page.\n404');

    const post = await run('curl', [...options, '--include', '--data-binary', '@-', url], 'x'.repeat(200_000));
    expect(await post.exited).toBe(0);
    expect(post.stdout).toMatch(/^HTTP\/1\.0 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n/m);
    expect(server.stderr).toBe('');
  });

  test.each([
    ['bytes that are not HTTP', 'HELO\r\n\r\n', /^HTTP\/1\.0 400 Bad Request\r\n/],
    ['a head that never ended', 'GET / HTTP/1.0\r\n', /^$/],
  ])('rejects %s', async (_title, request, expected) => {
    await using server = example('http-server');
    using client = new Client(await server.port());

    client.socket.end(request);

    expect(await client.ended).toBe('fin');
    expect(client.text).toMatch(expected);
  });

  test('cuts off a client whose head has no end', async () => {
    await using server = example('http-server');
    using client = new Client(await server.port());

    client.socket.write('x'.repeat(20_000));

    expect(await client.ended).toBe('ECONNRESET');
    await server.printed(/^A frame is longer than 16384 bytes.*\n$/, 'stderr');
  });
});

describe('http-client', () => {
  const opened: (() => void)[] = [];
  afterEach(() => {
    for (const close of opened.splice(0)) close();
  });

  async function portOf(server: net.Server): Promise<number> {
    server.listen(0, '127.0.0.1');
    opened.push(() => server.close());
    await once(server, 'listening');
    return (server.address() as net.AddressInfo).port;
  }

  test('prints the status and the body', async () => {
    await using server = example('http-server');
    await using get = example('http-client', '127.0.0.1', await server.port());
    expect(await get.exited).toBe(0);
    expect(get.stderr).toBe('HTTP/1.0 200 OK\n');
    expect(get.stdout).toBe('Hello from rxsock!\n');

    await using head = example('http-client', '--head', '127.0.0.1', await server.port(), '/nothing');
    expect(await head.exited).toBe(0);
    expect(head.stderr).toBe('HTTP/1.0 404 Not Found\n');
    expect(head.stdout).toBe('');
  });

  test('gets a late answer from a server that takes a half-close for a client that has left', async () => {
    const port = await portOf(
      http.createServer((request, response) => {
        setTimeout(() => response.end(`You asked for ${request.url} at ${request.headers.host}`), 100);
      }),
    );
    await using program = example('http-client', '127.0.0.1', port, '/late');

    expect(await program.exited).toBe(0);
    expect(program.stdout).toBe('You asked for /late at 127.0.0.1');
  });

  test('prints the whole status of a response without headers', async () => {
    const port = await portOf(
      net.createServer((peer) => peer.once('data', () => peer.end('HTTP/1.0 200 OK\r\n\r\nhi'))),
    );
    await using program = example('http-client', '127.0.0.1', port);

    expect(await program.exited).toBe(0);
    expect(program).toMatchObject({ stdout: 'hi', stderr: 'HTTP/1.0 200 OK\n' });
  });

  test.each(['/\r\nX-Header: 1', '/a b', 'no-slash'])('does not ask for %j', async (path) => {
    await using program = example('http-client', '127.0.0.1', 9, path);

    expect(await program.exited).toBe(2);
    expect(program.stderr).toMatch(/It must be a path/);
  });

  test.each([
    ['a part of the body', 'HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nfive!', 'Received only 5 of 10 bytes\n'],
    ['bytes that are not HTTP', '220 mail.example.com ESMTP\r\n\r\n', 'The response is not HTTP\n'],
    ['nothing', '', 'The response is not HTTP\n'],
  ])('does not take %s for an answer', async (_title, answer, expected) => {
    const port = await portOf(net.createServer((peer) => peer.once('data', () => peer.end(answer))));
    await using program = example('http-client', '127.0.0.1', port);

    expect(await program.exited).toBe(1);
    expect(program.stderr).toBe(expected);
    expect(program.stdout).toBe('');
  });
});
