// ssh2 over sockets of ours, and sockets of ours over its channels.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect, data, fromDuplex, listen, through, toDuplex, writeTo } from '@rxsock/core';
import { lastValueFrom, of, reduce } from 'rxjs';
import ssh2 from 'ssh2';
import { expect, onTestFinished, test, vi } from 'vitest';
import { duplexServer } from '../support/duplex-server.js';
import { listenNode } from '../support/node-server.js';

const BODY = 'x'.repeat(300_000);

// Not with ssh2: it cannot read one in 250 of the ed25519 keys that it generates.
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const hostKeys = [privateKey.export({ type: 'sec1', format: 'pem' })];

/** A server with one command, which sends back what it receives. */
function server(onExec: (channel: Duplex) => void): ssh2.Server {
  return new ssh2.Server({ hostKeys }, (connection) => {
    connection.on('authentication', (request) => request.accept());
    connection.on('error', () => {});
    connection.on('ready', () =>
      connection.on('session', (accept) => accept().on('exec', (acceptExec) => onExec(acceptExec()))),
    );
  });
}

const echo = (channel: Duplex) => channel.pipe(channel);

async function ready(client: ssh2.Client, config: ssh2.ConnectConfig): Promise<ssh2.Client> {
  onTestFinished(() => void client.destroy());
  client.connect({ username: 'joe', ...config });
  await once(client, 'ready');
  return client;
}

const run = (client: ssh2.Client) =>
  new Promise<Duplex>((resolve, reject) =>
    client.exec('echo', (error, channel) => (error ? reject(error) : resolve(channel))),
  );

async function exchange(client: ssh2.Client): Promise<string> {
  const channel = await run(client);
  channel.end(BODY);
  return text(channel);
}

test('a client of ssh2 over a socket of ours', async () => {
  const port = await listenNode(server(echo) as unknown as net.Server);
  const socket = connect({ port, host: '127.0.0.1' });
  const client = await ready(new ssh2.Client(), { sock: toDuplex(socket) });
  expect(await exchange(client)).toBe(BODY);
  client.end();
  await vi.waitUntil(() => socket.readyState === 'closed');
});

test('a server of ssh2 over connections that we accept', async () => {
  const theirs = server(echo);
  const port = await duplexServer(listen(), (duplex) => theirs.injectSocket(duplex as unknown as net.Socket));
  const client = await ready(new ssh2.Client(), { port, host: '127.0.0.1' });
  expect(await exchange(client)).toBe(BODY);
  client.end();
  await once(client, 'close');
});

test('a socket of ours over each end of a channel', async () => {
  const theirs = server((channel) => {
    const socket = fromDuplex(channel, { allowHalfOpen: true });
    socket.pipe(data(), writeTo(socket)).subscribe({ error: () => {} });
  });
  const port = await listenNode(theirs as unknown as net.Server);
  const client = await ready(new ssh2.Client(), { port, host: '127.0.0.1' });
  const answer = of(BODY).pipe(
    through(fromDuplex(await run(client))),
    reduce((all, bytes) => all + bytes, ''),
  );
  expect(await lastValueFrom(answer)).toBe(BODY);
});
