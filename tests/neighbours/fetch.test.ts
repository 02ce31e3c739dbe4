// fetch() of undici over sockets of ours, and sockets of ours over its tunnels.
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import {
  connect,
  data,
  flowFrom,
  fromDuplex,
  lines,
  type SocketDuplex,
  through,
  toDuplex,
  writeTo,
} from '@rxsock/core';
import * as tls from '@rxsock/tls';
import { firstValueFrom, lastValueFrom, of, toArray } from 'rxjs';
import { Agent, type buildConnector, Client, fetch } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cert, key } from '../support/certificate.js';
import { listenNode } from '../support/node-server.js';

describe.each(['http', 'https'])('%s', (scheme) => {
  const echo: http.RequestListener = (request, response) => request.pipe(response);
  const create = () => (scheme === 'https' ? https.createServer({ key, cert }, echo) : http.createServer(echo));

  test('fetch() sends all requests over one socket of ours', async () => {
    const port = await listenNode(create());
    const dialled: SocketDuplex[] = [];
    const connector: buildConnector.connector = ({ protocol }, callback) => {
      const socket =
        protocol === 'https:'
          ? tls.connect({ port, host: 'localhost', family: 4, ca: cert })
          : connect({ port, host: '127.0.0.1' });
      const duplex = toDuplex(socket);
      dialled.push(duplex);
      const opened = () => callback(null, duplex as unknown as net.Socket);
      duplex.once(protocol === 'https:' ? 'secureConnect' : 'connect', opened);
      duplex.once('error', (error) => callback(error, null));
    };
    const dispatcher = new Agent({ connect: connector, connections: 1 });
    onTestFinished(() => dispatcher.destroy());
    for (const body of ['one\n', 'two\n']) {
      const response = await fetch(`${scheme}://example.org/`, { dispatcher, method: 'POST', body });
      expect(await response.text()).toBe(body);
    }
    expect(dialled).toHaveLength(1);
  });

  test('the body of a response is a source', async () => {
    const port = await listenNode(create());
    const dispatcher = new Agent({ connect: { ca: cert } });
    onTestFinished(() => dispatcher.destroy());
    const response = await fetch(`${scheme}://localhost:${port}/`, { dispatcher, method: 'POST', body: 'one\ntwo\n' });
    const body = response.body as unknown as AsyncIterable<Uint8Array>;
    expect(await lastValueFrom(flowFrom(body).pipe(lines(), toArray()))).toEqual(['one', 'two']);
  });

  test('a socket of ours over a tunnel', async () => {
    const server = create().on('connect', (_request, stream: Duplex) => {
      stream.write('HTTP/1.1 200 Connection established\r\n\r\n');
      const socket = fromDuplex(stream, { allowHalfOpen: true });
      socket.pipe(data(), writeTo(socket)).subscribe({ error: () => {} });
    });
    const port = await listenNode(server);
    const client = new Client(`${scheme}://localhost:${port}`, { connect: { ca: cert } });
    onTestFinished(() => client.destroy());
    const { socket } = await client.connect({ path: 'example.org:80' });
    const answer = await firstValueFrom(of('through').pipe(through(fromDuplex(socket))));
    expect(String(answer)).toBe('through');
  });
});
