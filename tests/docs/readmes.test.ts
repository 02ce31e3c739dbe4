// The first program of each README runs as it stands and prints what the README says. The two sides of each comparison
// do the same.
import dgram from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, existsSync, statSync, unlinkSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import tls from 'node:tls';
import * as core from '@rxsock/core';
import * as rxsockTls from '@rxsock/tls';
import * as udp from '@rxsock/udp';
import * as unix from '@rxsock/unix';
import { firstValueFrom, of } from 'rxjs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cert, key } from '../support/certificate.js';
import { run } from '../support/program.js';
import { drainRaw, rawClient, rawServer } from '../support/raw-peers.js';
import { root, snippetsOf } from '../support/snippets.js';
import { client, temporaryPath } from '../support/unix-servers.js';

const readmes = ['README.md', ...['core', 'tls', 'unix', 'udp'].map((name) => `packages/${name}/README.md`)];
let folder: string;

// Inside the workspace, so that the packages resolve as they do for a user.
beforeAll(async () => {
  await mkdir(join(root, 'tests', 'docs', 'dist'), { recursive: true });
  folder = await mkdtemp(join(root, 'tests', 'docs', 'dist', 'readmes-'));
  await writeFile(join(folder, 'key.pem'), key);
  await writeFile(join(folder, 'cert.pem'), cert);
});
afterAll(() => rm(folder, { recursive: true }));

/** The JavaScript of a README: both sides of the comparison, and the first program. */
async function blocksOf(readme: string): Promise<readonly [ours: string, plain: string, program: string]> {
  const blocks = await snippetsOf(readme, 'js');
  expect(blocks).toHaveLength(3);
  return blocks.map(({ code }) => code) as [string, string, string];
}

test('the first program of each README prints what it says', async () => {
  const results = readmes.map(async (readme) => {
    const [, , code] = await blocksOf(readme);
    const file = join(await mkdtemp(join(folder, 'program-')), 'first.mjs');
    await writeFile(file, code);
    // In the folder of the certificate.
    const start = `process.chdir(${JSON.stringify(folder)}); await import(${JSON.stringify(file)})`;
    const program = await run(process.execPath, ['--input-type=module', '-e', start]);
    const { stdout, stderr } = program;
    const isSaid = stdout !== '' && (await readFile(join(root, readme), 'utf8')).includes(`\`\`\`\n${stdout}\`\`\``);
    return { readme, code: await program.exited, stderr, stdout, isSaid };
  });

  for (const result of await Promise.all(results)) {
    expect(result).toMatchObject({ code: 0, stderr: '', isSaid: true });
  }
  expect(existsSync(join(folder, 'first.sock'))).toBe(false);
});

const AsyncFunction = (async () => {}).constructor as new (
  ...parts: string[]
) => (...values: unknown[]) => Promise<void>;

/** Runs one side of a comparison, with these names in place of its imports. */
function evaluate(code: string, scope: Readonly<Record<string, unknown>>): Promise<void> {
  return new AsyncFunction(...Object.keys(scope), code)(...Object.values(scope));
}

const sides = [
  [0, 'rxsock'],
  [1, 'Node'],
] as const;

describe.each(sides)('side %i of the comparisons, %s:', (side) => {
  const sideOf = async (readme: string) => (await blocksOf(readme))[side];

  test('a server answers each line', async () => {
    const servers: (core.Server | net.Server)[] = [];
    const keep = <S extends core.Server | net.Server>(server: S): S => {
      servers.push(server);
      return server;
    };
    const answer = async (line: string) => `${line.toUpperCase()}.`;
    const createServer = (...args: Parameters<typeof net.createServer>) => keep(net.createServer(...args));
    const listen = (options: core.ListenOptions) => keep(core.listen(options));
    const code = (await sideOf('README.md')).replace('7000', '0');
    await evaluate(code, { ...core, listen, net: { createServer }, once, answer });
    const [server] = servers;
    onTestFinished(() => void server?.close());
    const port = await portOf(server!);

    const peer = rawClient(port);
    peer.write('ham\nsp');
    peer.end('am\nlast');
    const { bytes, end } = await drainRaw(peer);
    expect(bytes.toString()).toBe('HAM.SPAM.LAST.');
    expect(end).toBe('end');
  });

  test('a client shows the lines of each connection', async () => {
    const server = await rawServer();
    const shown: string[] = [];
    const show = (line: string) => shown.push(line);
    const reconnect = (dial: () => core.Socket) => {
      const feed = core.reconnect(dial);
      onTestFinished(() => feed.close());
      return feed;
    };
    const setTimeout = (then: () => void, ms: number) => {
      const timer = globalThis.setTimeout(then, ms);
      onTestFinished(() => clearTimeout(timer));
    };
    const code = (await sideOf('packages/core/README.md')).replace('7000', String(server.port));
    await evaluate(code, { ...core, reconnect, net, show, setTimeout });

    for (const text of ['one\ntw', 'three\n']) (await server.next()).end(text);
    await expect.poll(() => shown.filter((line) => line !== 'tw')).toEqual(['one', 'three']);
  });

  test('a TLS client prints the lines of an answer', async () => {
    const server = tls.createServer({ key, cert, allowHalfOpen: true }, (peer) => peer.pipe(peer));
    server.listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const code = (await sideOf('packages/tls/README.md')).replace('7000', String(await portOf(server)));
    const { connect } = rxsockTls;
    const line = await new Promise((show, fail) => {
      void evaluate(code, { ...core, connect, tls, of, ca: cert, show, fail });
    });

    expect(line).toBe('hello');
  });

  test('a server at a path replaces a stale file', async () => {
    const { path } = temporaryPath();
    const crashing = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await run(process.execPath, ['-e', crashing]);
    expect(existsSync(path)).toBe(true);
    const code = await sideOf('packages/unix/README.md');
    const server = await new Promise<net.Server | core.Server<core.PathEndpoint>>((resolve) => {
      const createServer = (...args: Parameters<typeof net.createServer>) => {
        const server = net.createServer(...args);
        return server.on('listening', () => resolve(server));
      };
      const listen = (options: unix.ListenOptions) => {
        const server = unix.listen(options);
        server.pipe(core.on('listening')).subscribe(() => resolve(server));
        return server;
      };
      const { connect } = net;
      void evaluate(code, { ...core, listen, net: { connect, createServer }, pipeline, chmodSync, unlinkSync, path });
    });
    onTestFinished(() => void server.close());

    expect(statSync(path).mode & 0o777).toBe(0o660);
    const peer = client(path);
    peer.end('hello');
    expect((await drainRaw(peer)).bytes.toString()).toBe('hello');
  });

  test('a question is sent again until its reply comes', async () => {
    const server = dgram.createSocket('udp4');
    onTestFinished(() => void server.close());
    let questions = 0;
    server.on('message', (question, { port, address }) => {
      if (++questions > 1) server.send(question, port, address);
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const shown: string[] = [];
    const { connect } = udp;
    const request = (socket: ReturnType<typeof connect>, question: string) =>
      udp.request(socket, question, { timeout: 50 });
    const setTimeout = (then: () => void) => globalThis.setTimeout(then, 50);
    const code = (await sideOf('packages/udp/README.md')).replace('7000', String(server.address().port));
    const console = { log: (text: string) => shown.push(text) };
    await evaluate(code, { connect, request, setTimeout, firstValueFrom, dgram, once, console });

    expect(shown).toEqual(['hello']);
    expect(questions).toBe(2);
  });
});

async function portOf(server: core.Server | net.Server): Promise<number> {
  if (server instanceof net.Server) {
    if (!server.listening) await once(server, 'listening');
    return (server.address() as net.AddressInfo).port;
  }
  const { address } = await firstValueFrom(server.pipe(core.on('listening')));
  return (address as core.InternetEndpoint).port;
}
