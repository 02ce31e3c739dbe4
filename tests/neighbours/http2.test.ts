// node:http2 over sockets of ours, and sockets of ours over its streams.
import { once } from 'node:events';
import http2 from 'node:http2';
import { text } from 'node:stream/consumers';
import { connect, data, fromDuplex, listen, through, toDuplex, writeTo } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import { lastValueFrom, of, reduce } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { cert, key } from '../support/certificate.js';
import { duplexServer } from '../support/duplex-server.js';
import { listenNode } from '../support/node-server.js';

const BODY = 'x'.repeat(300_000);

async function post(client: http2.ClientHttp2Session): Promise<string> {
  const request = client.request({ ':method': 'POST', ':path': '/' });
  request.end(BODY);
  return text(request);
}

describe.each(['http', 'https'] as const)('%s', (scheme) => {
  const secure = scheme === 'https';
  const create = () => (secure ? http2.createSecureServer({ key, cert }) : http2.createServer());

  test('a client of Node over a socket of ours', async () => {
    const server = create().on('stream', (stream) => stream.pipe(stream));
    const port = await listenNode(server);
    const socket = secure
      ? tls.connect({ port, host: 'localhost', family: 4, ca: cert, alpn: ['h2'] })
      : connect({ port, host: '127.0.0.1' });
    const duplex = toDuplex(socket);
    const client = http2.connect(`${scheme}://localhost`, { createConnection: () => duplex });
    onTestFinished(() => client.destroy());
    expect(await Promise.all([post(client), post(client)])).toEqual([BODY, BODY]);
    if (secure) expect(duplex).toMatchObject({ encrypted: true, authorized: true, alpnProtocol: 'h2' });
    client.close();
    await vi.waitUntil(() => socket.readyState === 'closed');
  });

  test('a server of Node over connections that we accept', async () => {
    const server = http2.createServer().on('stream', (stream) => stream.pipe(stream));
    const ours = secure ? tls.listen({ key, cert, alpn: ['h2'] }) : listen();
    const port = await duplexServer(ours, (duplex) => server.emit('connection', duplex));
    const client = http2.connect(`${scheme}://localhost:${port}`, { ca: cert, family: 4 } as object);
    onTestFinished(() => client.destroy());
    expect(await Promise.all([post(client), post(client)])).toEqual([BODY, BODY]);
  });

  test('a socket of ours over each end of a stream', async () => {
    const server = create().on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      const socket = fromDuplex(stream, { allowHalfOpen: true });
      socket.pipe(data(), writeTo(socket)).subscribe({ error: () => {} });
    });
    const port = await listenNode(server);
    const client = http2.connect(`${scheme}://localhost:${port}`, { ca: cert, family: 4 } as object);
    onTestFinished(() => client.destroy());
    const stream = client.request({ ':method': 'POST', ':path': '/' }, { endStream: false });
    await once(stream, 'response');
    const answer = of(BODY).pipe(
      through(fromDuplex(stream)),
      reduce((all, bytes) => all + bytes, ''),
    );
    expect(await lastValueFrom(answer)).toBe(BODY);
  });
});
