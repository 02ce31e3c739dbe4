// Which requests do not get the page.
import http from 'node:http';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { inspectHere } from './support.js';

interface Answer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Asks as a program can, which a browser would not do: any path, any header. */
function ask(url: string, { path, method, headers }: http.RequestOptions = {}): Promise<Answer> {
  const { hostname, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: hostname, port, path: path ?? pathname, method, headers: headers ?? {} });
    request.on('error', reject);
    request.on('response', async (response) => {
      resolve({ status: response.statusCode, headers: response.headers, body: await text(response) });
    });
    request.end();
  });
}

describe('the page', () => {
  test('is for whoever knows its address', async () => {
    const { url } = await inspectHere();
    expect(await ask(url)).toMatchObject({ status: 200, body: expect.stringContaining('<title>rxsock inspector') });
  });

  test('has a new token every time, of 192 bits', async () => {
    const tokens = new Set<string>();
    for (let index = 0; index < 3; index++) tokens.add(new URL((await inspectHere()).url).pathname);
    expect(tokens.size).toBe(3);
    for (const token of tokens) expect(token).toMatch(/^\/[\w-]{32}\/$/);
  });

  test.each(['', 'x', 'index.html', 'events', 'main.js'])('is refused without the token: /%s', async (path) => {
    const { url } = await inspectHere();
    const answer = await ask(url, { path: `/${path}` });
    expect(answer).toMatchObject({ status: 403, headers: { 'content-type': 'text/plain; charset=utf-8' } });
  });

  test.each([
    ['another one', (token: string) => 'x'.repeat(token.length)],
    ['a part of it', (token: string) => token.slice(0, -1)],
    ['more than it', (token: string) => `${token}x`],
    ['an empty one', () => ''],
    ['a long one', () => 'x'.repeat(10_000)],
    ['another case', (token: string) => token.toUpperCase()],
    ['one behind a slash', (token: string) => `/${token}`],
    ['one in the query', (token: string) => `?token=${token}`],
  ])('is refused with a wrong token: %s', async (_, change) => {
    const token = 'abcdefghijklmnop';
    const { url } = await inspectHere({ token });
    for (const name of ['', 'events', 'main.js']) {
      expect((await ask(url, { path: `/${change(token)}/${name}` })).status).toBe(403);
    }
  });

  test.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'evil@127.0.0.1',
    '127.0.0.1:80:80',
    '[::1',
  ])('is refused for a name that leads to this address (DNS rebinding): Host: %s', async (host) => {
    const { url } = await inspectHere();
    expect((await ask(url, { headers: { host } })).status).toBe(403);
    expect((await ask(`${url}events`, { headers: { host } })).status).toBe(403);
  });

  test.each(['127.0.0.1:9000', 'localhost:9000', 'LOCALHOST', '[::1]:9000', '10.0.0.1'])(
    'is shown for an address and for localhost, also through a tunnel: Host: %s',
    async (host) => {
      const { url } = await inspectHere();
      expect((await ask(url, { headers: { host } })).status).toBe(200);
    },
  );

  test('is refused without a Host header', async () => {
    const { url } = await inspectHere();
    const { port, pathname } = new URL(url);
    const socket = net.connect(Number(port), '127.0.0.1').end(`GET ${pathname} HTTP/1.0\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 403 /);
  });

  test.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://localhost:1'])(
    'is refused for a page of another origin: %s',
    async (origin) => {
      const { url } = await inspectHere();
      expect((await ask(url, { headers: { origin } })).status).toBe(403);
      expect((await ask(`${url}events`, { headers: { origin } })).status).toBe(403);
    },
  );

  test('is shown for its own origin', async () => {
    const { url } = await inspectHere();
    expect((await ask(url, { headers: { origin: new URL(url).origin } })).status).toBe(200);
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('can only be read: %s', async (method) => {
    const { url } = await inspectHere();
    expect(await ask(url, { method })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  test('has no body for HEAD, and no stream', async () => {
    const { url } = await inspectHere();
    expect(await ask(url, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect((await ask(`${url}events`, { method: 'HEAD' })).status).toBe(404);
  });

  test.each([
    '../package.json',
    '..%2fpackage.json',
    '%2e%2e/package.json',
    './../../../../../etc/passwd',
    '/etc/passwd',
    'main.js/../../package.json',
    'main.js.map',
    '.tsbuildinfo',
    'index.html',
    '__proto__',
    'constructor',
    'main.js%00',
  ])('has no file but its own: %s', async (name) => {
    const { url } = await inspectHere();
    expect((await ask(url, { path: `${new URL(url).pathname}${name}` })).status).toBe(404);
  });

  test('loads nothing from anywhere else, is in no frame, and leaves its address nowhere', async () => {
    const { url } = await inspectHere();
    for (const path of [undefined, '/wrong/', `${new URL(url).pathname}main.js`]) {
      const { headers } = await ask(url, { path });
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/,
      );
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      });
    }
  });

  test('survives a query that means nothing', async () => {
    const { url } = await inspectHere();
    const query = 'order=__proto__&show=x&offset=-1e999&selected=NaN&filter=%ff&descending=1&descending';
    const response = await fetch(`${url}events?${query}`);
    expect(response.status).toBe(200);
    await response.body!.cancel();
  });
});

test('a message about a wrong token does not repeat it', async () => {
  await expect(async () => await inspectHere({ token: 'my/secret' })).rejects.toThrow(
    /^(?!.*secret)token must be a string of 16 to 256/,
  );
});
