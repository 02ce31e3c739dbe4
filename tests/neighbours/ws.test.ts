// ws over sockets of ours, and sockets of ours over its streams.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { connect, data, fromDuplex, listen, toDuplex, writeTo } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import { lastValueFrom, reduce } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createWebSocketStream, type WebSocket, WebSocket as WebSocketClient, WebSocketServer } from 'ws';
import { cert, key } from '../support/certificate.js';
import { duplexServer } from '../support/duplex-server.js';
import { listenNode } from '../support/node-server.js';

const MESSAGE = 'x'.repeat(300_000);

const echo = (socket: WebSocket) => socket.on('message', (message) => socket.send(message));

async function exchange(client: WebSocket): Promise<string> {
  await once(client, 'open');
  client.send(MESSAGE);
  const [message] = await once(client, 'message');
  return String(message);
}

/** Closes by the closing handshake. Returns its code. */
async function close(client: WebSocket): Promise<number> {
  client.close(4000);
  return (await once(client, 'close'))[0];
}

describe.each(['ws', 'wss'])('%s', (scheme) => {
  const secure = scheme === 'wss';

  test('a client of ws over a socket of ours', async () => {
    const server = secure ? https.createServer({ key, cert }) : http.createServer();
    new WebSocketServer({ server }).on('connection', echo);
    const port = await listenNode(server);
    const socket = secure
      ? tls.connect({ port, host: 'localhost', family: 4, ca: cert })
      : connect({ port, host: '127.0.0.1' });
    const createConnection = () => toDuplex(socket);
    const client = new WebSocketClient(`${scheme}://localhost`, { createConnection } as object);
    expect(await exchange(client)).toBe(MESSAGE);
    expect(await close(client)).toBe(4000);
    await vi.waitUntil(() => socket.readyState === 'closed');
  });

  test('a server of ws over connections that we accept', async () => {
    const server = http.createServer();
    const codes: number[] = [];
    new WebSocketServer({ server }).on('connection', (socket) => {
      echo(socket);
      socket.on('close', (code) => codes.push(code));
    });
    const port = await duplexServer(secure ? tls.listen({ key, cert }) : listen(), (duplex) =>
      server.emit('connection', duplex),
    );
    const client = new WebSocketClient(`${scheme}://localhost:${port}`, { ca: cert, family: 4 });
    expect(await exchange(client)).toBe(MESSAGE);
    expect(await close(client)).toBe(4000);
    await vi.waitUntil(() => codes.length > 0);
    expect(codes).toEqual([4000]);
  });

  test('a socket of ours over each end of a WebSocket', async () => {
    const server = secure ? https.createServer({ key, cert }) : http.createServer();
    new WebSocketServer({ server }).on('connection', (webSocket) => {
      const socket = fromDuplex(createWebSocketStream(webSocket, { allowHalfOpen: true }), { allowHalfOpen: true });
      socket.pipe(data(), writeTo(socket)).subscribe({ error: () => {} });
    });
    const port = await listenNode(server);
    const client = new WebSocketClient(`${scheme}://localhost:${port}`, { ca: cert, family: 4 });
    onTestFinished(() => client.terminate());
    const socket = fromDuplex(createWebSocketStream(client));
    const received = lastValueFrom(
      socket.pipe(
        data(),
        reduce((all, bytes) => all + bytes, ''),
      ),
    );
    socket.next(MESSAGE);
    await vi.waitUntil(() => socket.bytesRead === MESSAGE.length);
    client.close();
    expect(await received).toBe(MESSAGE);
  });
});
