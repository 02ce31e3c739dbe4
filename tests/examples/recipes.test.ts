// The recipes of docs/recipes do what they say.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { certificateAuthority } from '../support/certificates.js';
import { Program } from '../support/program.js';
import { rawClient, rawServer } from '../support/raw-peers.js';
import { testFolder } from '../support/temporary-folder.js';
import { Client } from './support.js';

const fileOf = (name: string) => fileURLToPath(new URL(`../../examples/dist/recipes/${name}.js`, import.meta.url));

const recipe = (name: string, env: NodeJS.ProcessEnv = {}) =>
  new Program(process.execPath, [fileOf(name)], { env: { PORT: '0', ...env } });

const portOf = async (program: Program): Promise<number> =>
  Number((await program.printed(/^Listening on port (\d+)\n/m))[1]);

test('a server for a container finishes its answers at SIGTERM, ends idle clients, and exits', async () => {
  await using program = recipe('graceful-shutdown');
  using client = new Client(await portOf(program));
  client.socket.write('ham\n');
  await client.heard('ham\n');
  program.kill('SIGTERM');

  expect(await client.ended).toBe('fin');
  client.socket.end();
  expect(await program.exited).toBe(0);
  expect(program.stdout).toMatch(/Closed\n$/);
  expect(program.stderr).toBe('');
});

test('a server takes over the socket that its parent has opened, as systemd does', async () => {
  const listener = net.createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const { port } = listener.address() as net.AddressInfo;
  const { fd } = (listener as unknown as { _handle: { fd: number } })._handle;
  // sh knows its process id, and node keeps it.
  const start = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$1"';
  const child = spawn('sh', ['-c', start, process.execPath, fileOf('systemd-socket')], {
    stdio: ['ignore', 'pipe', 'inherit', fd],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const [line] = await once(child.stdout!, 'data');
  expect(String(line)).toBe(`Listening on 127.0.0.1:${port}\n`);
  listener.close(); // the socket stays open in the child

  using client = new Client(port);
  client.socket.end('ham');
  expect(await client.ended).toBe('fin');
  expect(client.text).toBe('ham');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test('a client has to wait when its requests over all connections are too many, and has ten connections', async () => {
  await using program = recipe('rate-limit', { COST: '50', BURST: '100' });
  const port = await portOf(program);
  const start = performance.now();
  using one = new Client(port);
  using two = new Client(port);
  for (const { socket } of [one, two]) socket.end('1\n2\n3\n4\n');
  expect([await one.ended, await two.ended]).toEqual(['fin', 'fin']);
  expect([one.text, two.text]).toEqual(['1\n2\n3\n4\n', '1\n2\n3\n4\n']);
  // Two at once, and then one every 50 ms. Timers may be a millisecond early.
  expect(performance.now() - start).toBeGreaterThan((8 - 2) * 50 - 8);

  for (let count = 0; count < 11; count++) rawClient(port);
  await program.printed(/^Refused a connection: maxConnectionsPerAddress\n/m);
});

test('a server is ready until SIGTERM, and alive until it exits', async () => {
  await using program = recipe('health-check', { HEALTH_PORT: '0', NOTICE: '500' });
  const [, healthPort] = await program.printed(/^Health checks on port (\d+)\n/m);
  using client = new Client(await portOf(program));
  client.socket.write('ham');
  await client.heard('ham');
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${healthPort}${path}`);
    return { status: response.status, body: await response.json() };
  };
  const body = { state: 'listening', connections: 1 };
  expect(await get('/ready')).toEqual({ status: 200, body });
  program.kill('SIGTERM');
  await expect.poll(() => get('/ready')).toEqual({ status: 503, body });
  expect(await get('/live')).toEqual({ status: 200, body });
  client.socket.end();
  expect(await program.exited).toBe(0);
});

test('a TLS server renews its certificates at SIGHUP, and keeps its connections', async () => {
  const folder = await testFolder();
  const authority = await certificateAuthority();
  const [KEY, CERT] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const install = async (...names: [string, ...string[]]) => {
    const { key, cert } = await authority.issue({ names });
    for (const [path, text] of [[KEY, key] as const, [CERT, cert] as const]) {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    }
  };
  await install('one.test', 'localhost');
  await using program = recipe('certificates', { KEY, CERT });
  const port = await portOf(program);
  const connect = async () => {
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    socket.on('error', () => {}); // the program is killed at the end
    return socket;
  };
  const nameOf = (socket: tls.TLSSocket) => socket.getPeerCertificate().subject.CN;
  const first = await connect();
  expect(nameOf(first)).toBe('one.test');

  await install('two.test', 'localhost');
  program.kill('SIGHUP');
  await program.printed(/^Renewed\n/m);
  expect(nameOf(await connect())).toBe('two.test');
  first.write('ham');
  expect(String(await once(first, 'data'))).toBe('ham');

  await writeFile(KEY, 'not a key');
  program.kill('SIGHUP');
  await program.printed(/^Not renewed: /m, 'stderr');
  expect(nameOf(await connect())).toBe('two.test');
});

test('each end of a connection is one line of JSON, with the reason of a failure', async () => {
  await using program = recipe('pino');
  const [, port] = await program.printed(/"port":(\d+).*"listening"/);
  using client = new Client(Number(port));
  client.socket.end('ham\n');
  await client.ended;
  using hostile = new Client(Number(port));
  hostile.socket.write('x'.repeat(2_000));
  await hostile.ended;
  await program.printed(/"ERR_FRAME_TOO_LONG"/);
  program.kill('SIGTERM');
  expect(await program.exited).toBe(0);

  const lines = program.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ msg }) => msg)).toEqual(['listening', 'connection closed', 'connection closed']);
  expect(lines[1]).toMatchObject({ level: 30, role: 'server', how: 'fin', bytesRead: 4, bytesWritten: 4 });
  expect(lines[2]).toMatchObject({ level: 40, how: 'abort', by: 'local', cause: 'ERR_FRAME_TOO_LONG' });
});

test('worker threads find the answers', async () => {
  await using program = recipe('worker-threads');
  using client = new Client(await portOf(program));
  client.socket.end('10\n100\n');
  expect(await client.ended).toBe('fin');

  expect(client.text).toMatch(/^4 primes up to 10, by thread [1-9]\d*\n25 primes up to 100, by thread [1-9]\d*\n$/);
  program.kill('SIGTERM');
  expect(await program.exited).toBe(0);
});

test('a page gets the lines of a feed over a WebSocket, and its end', async () => {
  const feed = await rawServer();
  await using program = recipe('websocket-bridge', { FEED_PORT: String(feed.port) });
  const [, port] = await program.printed(/port: (\d+)/);
  const page = new WebSocket(`ws://127.0.0.1:${port}`);
  const messages: string[] = [];
  page.on('message', (message) => messages.push(String(message)));
  const closed = once(page, 'close');
  (await feed.next()).end('one\ntwo\n');

  await closed;
  expect(messages).toEqual(['one', 'two']);
});

test('a microservice of NestJS answers with values and streams, and says what nobody handles', async () => {
  await using program = recipe('nestjs/main');

  expect(await program.exited).toBe(0);
  expect(program.stdout).toBe('note hello\nsum 6\ncount [ 1, 2, 3 ]\nproduct nobody handles product\n');
  expect(program.stderr).toBe('');
});
