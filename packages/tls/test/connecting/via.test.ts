// TLS through proxies: the certificate is that of the target, and nobody on the way can put bytes in front of it.

import * as tcp from '@rxsock/core';
import { connect as connectTcp, relay, type Socket, serve } from '@rxsock/core';
import { httpConnect, socks5 } from '@rxsock/core/proxy';
import { connect, listen, upgrade } from '@rxsock/tls';
import { expect, onTestFinished, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { ca, localhost } from '../support/identities.js';
import { nodeServer, started } from '../support/peers.js';

/** An HTTP proxy that connects to 127.0.0.1, whatever the name. @param extra What it adds behind its answer. */
async function httpProxy(server: tcp.Server<tcp.InternetEndpoint>, extra = ''): Promise<number> {
  const forward = async (client: Socket) => {
    const bytes = tcp.reader(client);
    const port = Number(/:(\d+) HTTP/.exec((await bytes.readLine()) ?? '')?.[1]);
    while (await bytes.readLine());
    client.next(`HTTP/1.1 200 OK\r\n\r\n${extra}`);
    bytes.release();
    await new Promise<void>((resolve) => {
      relay(client, connectTcp({ host: '127.0.0.1', port })).subscribe({ error: () => resolve(), complete: resolve });
    });
  };
  server.pipe(serve(forward)).subscribe({ error: () => {} });
  return (await started(server)).port;
}

test.each(['a proxy', 'a proxy behind TLS'])('verifies the target through %s', async (kind) => {
  const target = await nodeServer({ ...localhost });
  const secure = kind === 'a proxy behind TLS';
  const port = await httpProxy(
    secure ? listen({ ...localhost, host: '127.0.0.1' }) : tcp.listen({ host: '127.0.0.1' }),
  );
  const via = secure
    ? httpConnect(() => connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }))
    : httpConnect({ host: '127.0.0.1', port });
  const socket = connect({ host: 'localhost', port: target.port, via, ca });
  onTestFinished(() => socket.error());
  const { log } = record(socket);
  socket.next('hello');
  await expect.poll(() => log).toEqual(['connect', 'secureConnect']);
  const other = connect({ host: 'other.example', port: target.port, via, ca });
  expect((await record(other).ended).error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

test('a plain connection through a proxy behind TLS does not look secure', async () => {
  const target = await started(tcp.listen({ host: '127.0.0.1' }));
  const port = await httpProxy(listen({ ...localhost, host: '127.0.0.1' }));
  const via = httpConnect(() => connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }));
  const socket = connectTcp({ host: 'localhost', port: target.port, via });
  onTestFinished(() => socket.error());
  const { log } = record(socket);
  await expect.poll(() => socket.readyState).toBe('open');
  expect([log, socket.type]).toEqual([['connect'], 'tcp']);
});

test('bytes in front of the handshake are refused', async () => {
  const target = await nodeServer({ ...localhost });
  const port = await httpProxy(tcp.listen({ host: '127.0.0.1' }), 'evil');
  const socket = connect({ host: 'localhost', port: target.port, via: httpConnect({ host: '127.0.0.1', port }), ca });
  const { log, ended } = record(socket);
  expect((await ended).error).toMatchObject({
    code: 'ERR_PLAINTEXT_LEFT',
    message: expect.stringContaining('bytes came before the TLS handshake'),
  });
  expect(log.filter((type) => type === 'data')).toEqual([]);
});

test('bytes behind the answer of the proxy refuse an upgrade in connect, and are there to read', async () => {
  const target = await started(tcp.listen({ host: '127.0.0.1' }));
  const port = await httpProxy(tcp.listen({ host: '127.0.0.1' }), '220 injected\r\n');
  const socket = connectTcp({ host: 'localhost', port: target.port, via: httpConnect({ host: '127.0.0.1', port }) });
  onTestFinished(() => socket.error());
  const received = new Promise<Buffer>((resolve, reject) => {
    socket.pipe(tcp.on('connect')).subscribe(() => {
      expect(() => upgrade(socket, { ca, servername: 'localhost' })).toThrow(
        expect.objectContaining({ code: 'ERR_PLAINTEXT_LEFT' }),
      );
      socket.pipe(tcp.data()).subscribe({ next: resolve, error: reject });
    });
  });
  expect(`${await received}`).toBe('220 injected\r\n');
});

test('a proxy that refuses is named', async () => {
  const server = tcp.listen({ host: '127.0.0.1' });
  server.pipe(serve(() => 'HTTP/1.1 403 no\r\n\r\n')).subscribe({ error: () => {} });
  const { port } = await started(server);
  const socket = connect({ host: 'localhost', port: 443, via: socks5({ host: '127.0.0.1', port }), ca });
  expect((await record(socket).ended).error).toMatchObject({
    code: 'ERR_PROXY_PROTOCOL',
    message: expect.stringContaining('does not speak SOCKS5'),
  });
});
