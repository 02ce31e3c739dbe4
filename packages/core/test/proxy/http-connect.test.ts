// httpConnect(): the request, the answer, and every way in which it fails.
import { once } from 'node:events';
import { type ConnectOptions, connect, data, fromDuplex, on } from '@rxsock/core';
import { type HttpConnectOptions, httpConnect, socks5 } from '@rxsock/core/proxy';
import { describe, expect, onTestFinished, test } from 'vitest';
import { duplexPair } from '../../../../tests/support/duplex-pair.js';
import { drainRaw } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { dialThrough, scriptedProxy } from './support.js';

/** A socket to example.com:80 through a scripted proxy. */
const through = (options: HttpConnectOptions = {}, target: Partial<ConnectOptions> = {}) =>
  dialThrough((proxy) => httpConnect(proxy, options), target);

describe('the request', () => {
  test('names the target twice, and then the connection carries its bytes', async () => {
    const { socket, recording, proxy } = await through();
    socket.next('hello');
    expect(await proxy.text()).toBe('CONNECT example.com:80 HTTP/1.1\r\nHost: example.com:80\r\n\r\n');
    proxy.send('HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n');
    expect(await proxy.text()).toBe('hello');
    proxy.send('world');
    await expect.poll(() => recording.log).toEqual(['connect', 'data']);
  });

  test('puts an IPv6 address in brackets', async () => {
    const { proxy } = await through({}, { host: '2001:db8::7', port: 443 });
    expect(await proxy.text()).toContain('CONNECT [2001:db8::7]:443 HTTP/1.1\r\nHost: [2001:db8::7]:443\r\n');
  });

  test('has the login and the fields that were asked for', async () => {
    const { proxy } = await through({ username: 'me', password: 'a:b', headers: { 'User-Agent': 'rx' } });
    expect(await proxy.text()).toContain('\r\nUser-Agent: rx\r\nProxy-Authorization: Basic bWU6YTpi\r\n\r\n');
  });
});

describe('the answer', () => {
  test.each([
    'HTTP/1.0 200 OK\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200\r\n\r\n',
    'HTTP/1.1 204 fine\nA: b\n\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
  ])('%j opens the connection; what follows belongs to the target', async (answer) => {
    const { recording, proxy } = await through();
    await proxy.text();
    proxy.send(`${answer}first bytes`);
    await expect.poll(() => recording.values.at(-1)).toEqual({ type: 'data', data: Buffer.from('first bytes') });
    expect(recording.log).toEqual(['connect', 'data']);
  });

  test('may come a byte at a time', async () => {
    const { recording, proxy } = await through();
    await proxy.text();
    for (const byte of 'HTTP/1.1 200 OK\r\n\r\nx') {
      proxy.send(byte);
      await turns(1);
    }
    await expect.poll(() => recording.log).toEqual(['connect', 'data']);
  });

  test.each([
    ['HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', 'ERR_PROXY_AUTH', '407 Proxy Authentication Required'],
    ['HTTP/1.0 401 Unauthorized\r\n\r\n', 'ERR_PROXY_AUTH', '401 Unauthorized'],
    ['HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', 'ERR_PROXY_REFUSED', '403 Forbidden'],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'ERR_PROXY_REFUSED', '502 Bad Gateway'],
    ['HTTP/1.1 101 Switching\r\n\r\n', 'ERR_PROXY_REFUSED', '101 Switching'],
    ['HTTP/1.1 302 Found\r\n\r\n', 'ERR_PROXY_REFUSED', '302 Found'],
  ])('%j is a refusal, and says which proxy it was', async (answer, code, words) => {
    const { recording, proxy, port } = await through();
    await proxy.text();
    proxy.send(answer);
    const name = `the HTTP proxy at 127.0.0.1:${port}`;
    expect((await recording.ended).error).toMatchObject({
      name: 'ConnectError',
      code,
      message: `Cannot connect to example.com:80 through ${name}: ${name} refused the connection: ${words}`,
    });
    expect((await drainRaw(proxy.peer)).end).toBe('ECONNRESET');
  });

  test.each([
    ['SSH-2.0-OpenSSH_9\r\n', 'ERR_PROXY_PROTOCOL', 'does not speak HTTP/1.1'],
    ['HTTP/2 200\r\n\r\n', 'ERR_PROXY_PROTOCOL', 'does not speak HTTP/1.1'],
    [`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(20_000)}`, 'ERR_PROXY_PROTOCOL', 'sent a head of more than 65536 bytes'],
    ['x'.repeat(70_000), 'ERR_FRAME_TOO_LONG', 'failed: A line is longer than 65536 bytes'],
  ])('%# that is not HTTP fails', async (answer, code, words) => {
    const { recording, proxy } = await through();
    await proxy.text();
    proxy.send(answer);
    expect((await recording.ended).error).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test('that comes before the whole request was read fails', async () => {
    const { recording, proxy } = await through({ headers: { A: 'x'.repeat(20_000_000) } });
    proxy.send('HTTP/1.1 200 OK\r\n\r\n');
    expect((await recording.ended).error).toMatchObject({
      code: 'ERR_PROXY_PROTOCOL',
      message: expect.stringContaining('answered before it had the whole request'),
    });
  });

  test('that never ends fails when the proxy ends', async () => {
    const { recording, proxy } = await through();
    await proxy.text();
    proxy.send('HTTP/1.1 200 OK\r\n');
    proxy.peer.end();
    expect((await recording.ended).error).toMatchObject({
      code: 'ERR_PROXY_REFUSED',
      message: expect.stringContaining('ended the connection before its answer'),
    });
  });
});

test('goes through a SOCKS proxy first', async () => {
  const outer = await scriptedProxy();
  const via = httpConnect({ host: 'inner.example', port: 3128, via: socks5({ host: '127.0.0.1', port: outer.port }) });
  const socket = connect({ host: 'example.com', port: 80, via });
  onTestFinished(() => socket.error());
  const { ended } = record(socket);
  const proxy = await outer.client();
  await proxy.hex();
  proxy.send(5, 0);
  await proxy.hex();
  proxy.send(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
  expect(await proxy.text()).toContain('CONNECT example.com:80');
  proxy.send('HTTP/1.1 403 Forbidden\r\n\r\n');
  const hop = `the HTTP proxy at inner.example:3128 through the SOCKS5 proxy at 127.0.0.1:${outer.port}`;
  expect((await ended).error).toMatchObject({
    message: `Cannot connect to example.com:80 through ${hop}: ${hop} refused the connection: 403 Forbidden`,
  });
});

test('goes through a stream of the user', async () => {
  const [near, far] = duplexPair();
  const socket = connect({ host: 'example.com', port: 80, via: httpConnect(() => fromDuplex(near)) });
  onTestFinished(() => socket.error());
  const { log, ended } = record(socket.pipe(data()));
  socket.next('hello');
  socket.complete();
  expect(String((await once(far, 'data'))[0])).toContain('CONNECT example.com:80');
  far.write('HTTP/1.1 200 OK\r\n\r\n');
  expect(String((await once(far, 'data'))[0])).toBe('hello');
  await once(far, 'end');
  far.end('world');
  expect(await ended).toEqual({});
  expect(log).toEqual(['world', 'complete']);
});

test('an abort while the socket to the proxy gives its stream away resets the connection', async () => {
  const { port, client } = await scriptedProxy();
  const via = httpConnect(() => {
    const toProxy = connect({ host: '127.0.0.1', port });
    toProxy.pipe(on('close')).subscribe(() => socket.error());
    return toProxy;
  });
  const socket = connect({ host: 'example.com', port: 80, via });
  const { log, ended } = record(socket);
  const { peer, text, send } = await client();
  await text();
  send('HTTP/1.1 200 OK\r\n\r\n');
  await ended;
  expect(log).toEqual(['close', 'error:ERR_SOCKET_ABORTED']);
  expect((await drainRaw(peer)).end).toBe('ECONNRESET');
});

test.each([
  [{ username: 'me' }, 'password must be'],
  [{ username: 'a:b', password: 'c' }, 'username must be a string without a colon'],
  [{ headers: { 'A B': 'c' } }, 'headers must be an object whose keys are names of fields'],
  [{ headers: { A: 'b\r\nEvil: c' } }, 'headers["A"] must be a string without line breaks'],
  [{ headers: { A: 1 } }, 'headers["A"] must be a string'],
  [{ headers: 'A: b' }, 'headers must be'],
])('%j is refused', (options, message) => {
  expect(() => httpConnect({ port: 3128 }, options as never)).toThrow(message);
});
