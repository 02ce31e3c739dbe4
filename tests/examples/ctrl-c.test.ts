// Ctrl-C ends every client at once, whatever it waits for: here for peers that accept everything and say nothing.
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { certificateAuthority } from '../support/certificates.js';
import { Program } from '../support/program.js';
import { rawServer } from '../support/raw-peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { Client, example } from './support.js';

/** A silent peer: how a client reaches it, and until a client has reached it. */
interface Silent {
  readonly args: readonly (string | number)[];
  readonly reached: Promise<unknown>;
}

/** Accepts connections, reads nothing, and never ends one. `accepted` is the event that reports one. */
async function silentServer(server: net.Server, options: net.ListenOptions, accepted = 'connection'): Promise<void> {
  server.on(accepted, (peer: net.Socket) => {
    peer.on('error', () => {});
    onTestFinished(() => void peer.destroy());
  });
  server.listen(options);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
}

const silent = {
  async tcp(): Promise<Silent> {
    const server = await rawServer();
    return { args: ['127.0.0.1', server.port], reached: server.next() };
  },
  async tls(folder: string): Promise<Silent> {
    const authority = await certificateAuthority();
    const ca = path.join(folder, 'ca.pem');
    await writeFile(ca, authority.cert);
    const server = tls.createServer({ ...(await authority.issue({ names: ['localhost'] })), allowHalfOpen: true });
    await silentServer(server, { port: 0, host: '127.0.0.1' }, 'secureConnection');
    const { port } = server.address() as net.AddressInfo;
    return { args: ['--ca', ca, 'localhost', port], reached: once(server, 'secureConnection') };
  },
  async unix(folder: string): Promise<Silent> {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const control = path.join(folder, 'control.sock');
    await silentServer(server, { path: control });
    return { args: [control], reached: once(server, 'connection') };
  },
  async udp(): Promise<Silent> {
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    onTestFinished(() => void socket.close());
    return { args: ['127.0.0.1', socket.address().port], reached: once(socket, 'message') };
  },
};

type Args = readonly (string | number)[];

interface Case {
  readonly name: string;
  readonly peer: keyof typeof silent;
  readonly args: (peer: Args, folder: string) => Args;
  readonly stdout?: string;
  readonly stderr?: RegExp;
}

const clients: Case[] = [
  { name: 'dns-client', peer: 'udp', args: (peer) => [...peer, 'one.test', '--timeout', 60_000] },
  { name: 'irc-bot', peer: 'tcp', args: (peer) => [...peer, '#rx'] },
  { name: 'redis-client', peer: 'tcp', args: (peer) => peer },
  {
    name: 'smtp-client',
    peer: 'tcp',
    args: (peer) => [...peer, 'package.json', '--from', 'ann@x.test', '--to', 'bob@x.test'],
  },
  { name: 'mqtt-client', peer: 'tls', args: (peer) => [...peer, 'rooms/kitchen'] },
  { name: 'postgres-client', peer: 'tcp', args: (peer) => peer },
  { name: 'connection-pool', peer: 'tcp', args: (peer) => [...peer, 'one', 'two', 'three'] },
  { name: 'direct-chat', peer: 'tcp', args: (peer) => peer, stdout: '* 127.0.0.1:PORT\n* goodbye\n' },
  {
    name: 'downloader',
    peer: 'tcp',
    args: (peer, folder) => [...peer, 'big.iso', path.join(folder, 'copy')],
    stdout: 'Stopped: FOLDER/copy was not saved\n',
  },
  { name: 'http-client', peer: 'tcp', args: (peer) => peer },
  {
    name: 'reconnecting-client',
    peer: 'tcp',
    args: (peer) => peer,
    stderr: /^\* connected to 127\.0\.0\.1:\d+\n$/,
  },
  { name: 'request-response', peer: 'tcp', args: (peer) => [...peer, 'one', 'two'] },
  { name: 'request-response', peer: 'tcp', args: (peer) => [...peer, 'one', 'two', '--with', 'for-await'] },
  {
    name: 'send-file',
    peer: 'tcp',
    args: (peer) => [...peer, 'package.json'],
    stdout: 'Stopped: run the same command again to send the rest\n',
  },
  { name: 'spamd-client', peer: 'tcp', args: (peer) => ['CHECK', ...peer] },
  { name: 'starttls-client', peer: 'tcp', args: (peer) => peer },
  { name: 'tls-client', peer: 'tls', args: (peer) => peer },
  { name: 'tls-client', peer: 'tcp', args: (peer) => peer },
  { name: 'udp-client', peer: 'udp', args: (peer) => [...peer, 'hello', '--timeout', 60_000] },
  { name: 'unix-control', peer: 'unix', args: (peer) => [...peer, 'status'] },
];

test.each(clients)(
  '$name stops at Ctrl-C with a silent $peer peer',
  async ({ name, peer, args, stdout = '', stderr }) => {
    await using folder = await temporaryFolder();
    const { args: options, reached } = await silent[peer](folder.path);
    const before = await readdir(folder.path);
    await using client = example(name, ...args(options, folder.path));
    await reached;
    if (stdout.startsWith('*')) await client.printed(/^\* /);
    if (stderr) await client.printed(stderr, 'stderr');

    expect(await client.interrupt()).toBe(0);
    expect(client.stdout).toBe(stdout.replace('PORT', String(options[1])).replace('FOLDER', folder.path));
    expect(client.stderr).toMatch(stderr ?? /^$/);
    expect(await readdir(folder.path)).toEqual(before);
  },
);

describe('direct-chat', () => {
  test('stops at Ctrl-C when nc keeps its side open', async () => {
    await using chat = example('direct-chat', '--listen');
    await using nc = new Program('nc', ['127.0.0.1', String(await chat.port())]);
    nc.stdin.write('hello\n');
    await chat.printed(/\n< hello\n$/);
    chat.stdin.write('hello nc\n');
    await nc.printed(/^hello nc\n$/);

    expect(await chat.interrupt()).toBe(0);
    expect(chat.stdout).toMatch(/\n< hello\n\* goodbye\n$/);
    expect(chat.stderr).toBe('');
  });

  test('stops at Ctrl-C when the other side has stopped reading', async () => {
    await using chat = example('direct-chat', '--listen');
    using client = new Client(await chat.port());
    client.socket.pause();
    await chat.printed(/\n\* /);
    // More than the kernel buffers for a peer that does not read: the chat waits, and so does the input.
    chat.stdin.write('.'.repeat(50_000_000));

    expect(await chat.interrupt()).toBe(0);
    expect(chat.stderr).toBe('');
  });
});
