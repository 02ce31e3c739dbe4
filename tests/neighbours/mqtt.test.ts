// mqtt.js and aedes over sockets of ours, and sockets of ours beneath a WebSocket of MQTT.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import nodeTls from 'node:tls';
import { type CloseReport, connect, fromDuplex, listen, on, type Socket, toDuplex } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import { Aedes } from 'aedes';
import mqtt, { type IClientOptions, MqttClient } from 'mqtt';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import { cert, key } from '../support/certificate.js';
import { duplexServer } from '../support/duplex-server.js';
import { listenNode } from '../support/node-server.js';

const options: IClientOptions = { reconnectPeriod: 0, keepalive: 60 };

async function broker(): Promise<{ handle: (stream: Duplex) => void }> {
  const aedes = await Aedes.createBroker();
  onTestFinished(() => void aedes.close());
  return { handle: (stream) => void aedes.handle(readingAll(stream)) };
}

/**
 * aedes calls `read(null)` once for each 'readable'. From Node 26 on, that returns only the first of the chunks that
 * wait, whatever the stream is: aedes then never sees the others.
 */
function readingAll(stream: Duplex): Duplex {
  const read = stream.read.bind(stream);
  stream.read = (size?: number | null) => {
    if (size !== null) return read(size);
    const chunks: Buffer[] = [];
    for (let chunk = read(); chunk !== null; chunk = read()) chunks.push(chunk);
    return chunks.length > 0 ? Buffer.concat(chunks) : null;
  };
  return stream;
}

/** Publishes to itself. */
async function exchange(client: MqttClient): Promise<string> {
  onTestFinished(() => void client.end(true));
  // After the goodbye, the broker destroys its stream: then Node sends no close_notify over TLS.
  client.on('error', (error) => expect(error).toMatchObject({ code: 'ERR_TLS_TRUNCATED' }));
  await client.subscribeAsync('greetings', { qos: 1 });
  const message = new Promise<Buffer>((resolve) => client.once('message', (_topic, payload) => resolve(payload)));
  await client.publishAsync('greetings', 'hello', { qos: 1 });
  return String(await message);
}

describe.each(['mqtt', 'mqtts'] as const)('%s', (protocol) => {
  const secure = protocol === 'mqtts';

  test('a client of mqtt.js over a socket of ours', async () => {
    const { handle } = await broker();
    const port = await listenNode(secure ? nodeTls.createServer({ key, cert }, handle) : net.createServer(handle));
    const sockets: Socket[] = [];
    const dial = () => {
      const socket = secure
        ? tls.connect({ port, host: 'localhost', family: 4, ca: cert })
        : connect({ port, host: '127.0.0.1' });
      sockets.push(socket);
      return toDuplex(socket);
    };
    const client = new MqttClient(dial, options);
    expect(await exchange(client)).toBe('hello');
    await client.endAsync();
    await vi.waitUntil(() => sockets[0]?.readyState === 'closed');
  });

  test('a broker of aedes over connections that we accept', async () => {
    const { handle } = await broker();
    const port = await duplexServer(secure ? tls.listen({ key, cert }) : listen(), (duplex) => handle(duplex));
    const client = mqtt.connect({ ...options, protocol, port, host: '127.0.0.1', servername: 'localhost', ca: cert });
    expect(await exchange(client)).toBe('hello');
    await client.endAsync();
  });
});

test('the broker ends a client that says goodbye with FIN, and not with a reset', async () => {
  const { handle } = await broker();
  const reports: CloseReport[] = [];
  const port = await duplexServer(listen(), (duplex, socket) => {
    socket.pipe(on('close')).subscribe(({ report }) => reports.push(report));
    handle(duplex);
  });
  const client = net.connect({ port, host: '127.0.0.1' });
  // CONNECT with the client identifier "a", then DISCONNECT.
  client.write(Buffer.from('100d00044d5154540402003c000161', 'hex'));
  await once(client, 'data');
  client.write(Buffer.from('e000', 'hex'));
  await once(client, 'end');
  await vi.waitUntil(() => reports.length > 0);
  expect(reports).toMatchObject([{ by: 'local', how: 'fin' }]);
});

test('MQTT over sockets of ours over both ends of a WebSocket', async () => {
  const { handle } = await broker();
  const server = http.createServer();
  const overWebSocket = (webSocket: WebSocket) =>
    toDuplex(fromDuplex(createWebSocketStream(webSocket, { allowHalfOpen: true })));
  new WebSocketServer({ server }).on('connection', (webSocket) => handle(overWebSocket(webSocket)));
  const port = await listenNode(server);
  const client = new MqttClient(() => overWebSocket(new WebSocket(`ws://127.0.0.1:${port}`)), options);
  expect(await exchange(client)).toBe('hello');
  await client.endAsync();
});
