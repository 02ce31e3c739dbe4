// TLS servers behind proxies: the header comes before the handshake.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { data } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { drainRaw } from '../../../../tests/support/raw-peers.js';
import { ca, versions } from '../support/identities.js';
import { dial, nextOf, serverOf } from '../support/peers.js';

const LINE = 'PROXY TCP4 192.0.2.7 192.0.2.1 4660 443\r\n';
const CLIENT = { address: '192.0.2.7', port: 4660, family: 'IPv4' };
const proxyProtocol = { trusted: ['127.0.0.1'] };

/** A client of the server: plain, for the header first. */
function plainClient(port: number): net.Socket {
  const peer = net.connect({ port, host: '127.0.0.1' }).on('error', () => {});
  onTestFinished(() => void peer.destroy());
  return peer;
}

describe.each(versions)('%s', (maxVersion) => {
  test.each(['in one segment', 'in two', 'a byte at a time'])('the header and the ClientHello come %s', async (cut) => {
    const { server, port } = await serverOf({ proxyProtocol });
    const accepted = nextOf(server);
    const relay = plainClient(port).setNoDelay();
    // The TLS of the client does not write to the server itself, so that its first bytes can be cut.
    const [inner, outer] = await duplexes();
    const client = tls.connect({ socket: inner, ca, servername: 'localhost', maxVersion }).on('error', () => {});
    const [hello] = (await once(outer, 'data')) as [Buffer];
    outer.pause();
    const bytes = Buffer.concat([Buffer.from(LINE), hello]);
    const length = cut === 'in one segment' ? bytes.length : cut === 'in two' ? LINE.length : 1;
    for (let at = 0; at < bytes.length; at += length)
      await new Promise((resolve) => relay.write(bytes.subarray(at, at + length), resolve));
    outer.pipe(relay).pipe(outer);
    client.write('hello');
    const socket = await accepted;
    expect(socket.remote).toEqual(CLIENT);
    expect(socket.proxied).toMatchObject({ version: 1, source: CLIENT, proxy: { port: relay.localPort } });
    expect((await firstValueFrom(socket.pipe(data()))).toString()).toBe('hello');
  });
});

/** Two ends of a connection. */
async function duplexes(): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const inner = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1').on('error', () => {});
  const [outer] = (await once(server, 'connection')) as [net.Socket];
  server.close();
  onTestFinished(() => void [inner, outer].map((each) => each.destroy()));
  return [inner, outer.on('error', () => {})];
}

test('our client sends its header before its handshake', async () => {
  const { server, port } = await serverOf({ proxyProtocol });
  const accepted = nextOf(server);
  const destination = { address: '192.0.2.1', port: 443, family: 'IPv4' } as const;
  const source = { address: '192.0.2.7', port: 4660, family: 'IPv4' } as const;
  const client = dial({ port, servername: 'localhost', proxyProtocol: { source, destination } });
  await client.write('hello');
  const socket = await accepted;
  expect([socket.remote, socket.proxied?.version]).toEqual([CLIENT, 2]);
  expect((await firstValueFrom(socket.pipe(data()))).toString()).toBe('hello');
});

test('a handshake that fails behind the header names the client', async () => {
  const { port, events } = await serverOf({ proxyProtocol });
  plainClient(port).end(`${LINE}this is no ClientHello`);
  await expect.poll(() => events.values.at(-1)).toMatchObject({ type: 'drop', reason: 'handshake', remote: CLIENT });
});

test('a ClientHello without a header is refused before the handshake', async () => {
  const { port, events } = await serverOf({ proxyProtocol });
  const client = tls.connect({ port, host: '127.0.0.1', ca, servername: 'localhost' }).on('error', () => {});
  await new Promise((resolve) => client.once('close', resolve));
  expect(events.values.at(-1)).toMatchObject({ reason: 'proxyProtocol', error: { code: 'ERR_PROXY_PROTOCOL' } });
});

test('a closing server resets a client in its handshake, and one in its header', async () => {
  const { server, port } = await serverOf({ proxyProtocol });
  const peers = [LINE, 'PROXY '].map((text) => {
    const peer = plainClient(port);
    peer.write(text);
    return drainRaw(peer);
  });
  const next = nextOf(server);
  await dial({ port, servername: 'localhost', proxyProtocol: {}, keepOpen: true }).write('x');
  await next;
  await server.close({ drain: 0 });
  for (const { end } of await Promise.all(peers)) expect(end).toBe('ECONNRESET');
});
