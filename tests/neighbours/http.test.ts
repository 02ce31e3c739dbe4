// node:http and node:https over sockets of ours, and sockets of ours over their tunnels.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import nodeTls from 'node:tls';
import { connect, data, fromDuplex, listen, type SocketDuplex, through, toDuplex, writeTo } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import { firstValueFrom, of } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { cert, key } from '../support/certificate.js';
import { duplexServer } from '../support/duplex-server.js';
import { listenNode } from '../support/node-server.js';

const echo: http.RequestListener = (request, response) => request.pipe(response);

async function post(request: http.ClientRequest, body: string): Promise<string> {
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return text(response);
}

const kinds = {
  http: {
    module: http,
    agent: () => new http.Agent({ keepAlive: true, maxSockets: 1 }),
    serve: (listener: http.RequestListener) => http.createServer(listener),
    listen: () => listen(),
    connect: (port: number) => connect({ port, host: '127.0.0.1' }),
    raw: (port: number) => net.connect({ port, host: '127.0.0.1' }),
  },
  https: {
    module: https,
    agent: () => new https.Agent({ keepAlive: true, maxSockets: 1 }),
    serve: (listener: http.RequestListener) => https.createServer({ key, cert }, listener),
    listen: () => tls.listen({ key, cert }),
    connect: (port: number) => tls.connect({ port, host: 'localhost', family: 4, ca: cert }),
    raw: (port: number) => nodeTls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: cert }),
  },
};

describe.each(Object.entries(kinds))('%s', (_, kind) => {
  test('a keep-alive agent of Node sends all requests over one socket of ours', async () => {
    const port = await listenNode(kind.serve(echo));
    const agent = kind.agent();
    onTestFinished(() => agent.destroy());
    const dialled: SocketDuplex[] = [];
    agent.createConnection = () => {
      const duplex = toDuplex(kind.connect(port));
      dialled.push(duplex);
      return duplex;
    };
    for (const body of ['one', 'two', 'three']) {
      expect(await post(kind.module.request({ agent, method: 'POST', host: 'localhost' }), body)).toBe(body);
    }
    expect(dialled).toHaveLength(1);
    agent.destroy();
    await vi.waitUntil(() => dialled[0]?.destroyed);
  });

  test('a request emits timeout while the server does not answer', async () => {
    const port = await listenNode(kind.serve(() => {}));
    const createConnection = () => toDuplex(kind.connect(port));
    const request = kind.module.request({ createConnection, host: 'localhost' }).setTimeout(30).end();
    request.on('error', () => {});
    await once(request, 'timeout');
    request.destroy();
  });

  test('a server of Node serves connections that we accept, several requests each', async () => {
    const server = http.createServer(echo);
    const duplexes: SocketDuplex[] = [];
    const port = await duplexServer(kind.listen(), (duplex) => {
      duplexes.push(duplex);
      server.emit('connection', duplex);
    });
    const agent = kind.agent();
    onTestFinished(() => agent.destroy());
    const options = { agent, port, host: '127.0.0.1', servername: 'localhost', ca: cert, method: 'POST' };
    for (const body of ['one', 'two']) expect(await post(kind.module.request(options), body)).toBe(body);
    expect(duplexes).toHaveLength(1);
  });

  test('a server of Node ends connections that we accept when they are idle', async () => {
    const server = http.createServer({ keepAliveTimeout: 50 }, echo);
    const port = await duplexServer(kind.listen(), (duplex) => server.emit('connection', duplex));
    const client = kind.raw(port);
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await text(client)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  });

  test('a socket of ours over each end of a tunnel', async () => {
    const server = kind.serve(() => {});
    server.on('connect', (_request, stream: Duplex, head: Buffer) => {
      stream.write('HTTP/1.1 200 Connection established\r\n\r\n');
      const socket = fromDuplex(stream, { allowHalfOpen: true });
      socket.unshift(head);
      socket.pipe(data(), writeTo(socket)).subscribe({ error: () => {} });
    });
    const options = { port: await listenNode(server), host: '127.0.0.1', servername: 'localhost', ca: cert };
    const request = kind.module.request({ ...options, method: 'CONNECT', path: 'example.org:80' }).end();
    const [, stream] = (await once(request, 'connect')) as [unknown, Duplex];
    const answer = await firstValueFrom(of('through').pipe(through(fromDuplex(stream))));
    expect(String(answer)).toBe('through');
  });
});
