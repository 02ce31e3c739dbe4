// reconnect() and connectionPool() over UNIX and TLS streams: they take any socket.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { connectionPool, fromDuplex, lines, reconnect, type Socket } from '@rxsock/core';
import { tap } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cert, key } from '../../../../tests/support/certificate.js';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { connectOver } from '../../src/internal.js';
import { borrow } from '../support/pools.js';

interface Transport {
  /** What the server has accepted, in order. */
  readonly peers: net.Socket[];
  readonly dial: () => Socket;
}

async function listening(server: net.Server, where: net.ListenOptions, event: string): Promise<net.Socket[]> {
  const peers: net.Socket[] = [];
  server.on(event, (peer: net.Socket) => peers.push(peer.on('error', () => {})));
  server.listen(where);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const peer of peers) peer.destroy();
    server.close();
  });
  return peers;
}

async function unix(): Promise<Transport> {
  const folder = await mkdtemp(join(tmpdir(), 'rxsock-'));
  const path = join(folder, 's');
  onTestFinished(() => rm(folder, { recursive: true }));
  const peers = await listening(net.createServer(), { path }, 'connection');
  return { peers, dial: () => fromDuplex(net.connect({ path })) };
}

async function secure(): Promise<Transport & { port: number }> {
  const server = tls.createServer({ key, cert });
  const peers = await listening(server, { port: 0, host: '127.0.0.1' }, 'secureConnection');
  const { port } = server.address() as net.AddressInfo;
  const options = { port, host: '127.0.0.1', ca: cert, servername: 'localhost' };
  return { peers, port, dial: () => fromDuplex(tls.connect(options)) };
}

/** As `@rxsock/tls` dials: TCP first, and then the handshake. */
function dialTls(port: number, ca: string | undefined = cert): Socket {
  const options = { port, host: '127.0.0.1' };
  return connectOver(options, {
    type: 'tls',
    secure: (socket, tell) => {
      const stream = tls.connect({ socket, servername: 'localhost', ...(ca && { ca }) });
      stream.on('error', (error) => tell.failed(error));
      stream.on('close', () => tell.failed(new Error('closed')));
      stream.on('secureConnect', () => tell.done(stream));
    },
  });
}

async function secureOverTcp(): Promise<Transport> {
  const { peers, port } = await secure();
  return { peers, dial: () => dialTls(port) };
}

describe.each([
  ['UNIX', unix],
  ['TLS', secure],
  ['TLS over TCP', secureOverTcp],
])('over %s', (_name, transport) => {
  test('a link makes another connection when the peer ends one', async () => {
    const { peers, dial } = await transport();
    const link = reconnect(dial, { backoff: { initial: 1 } });
    onTestFinished(() => link.error());
    const { values } = record(link.eachConnection(lines({ trailing: 'drop' })));
    link.next('hello');
    await expect.poll(() => peers.length).toBe(1);
    expect(String((await once(peers[0] as net.Socket, 'data'))[0])).toBe('hello');
    peers[0]?.end('one\ntw');
    await expect.poll(() => peers.length).toBe(2);
    peers[1]?.write('three\n');
    await expect.poll(() => values).toEqual(['one', 'three']);
    expect(link.readyState).toBe('open');
  });

  test('a pool uses a connection again, and replaces one that the peer has ended', async () => {
    const { peers, dial } = await transport();
    const pool = connectionPool(dial);
    onTestFinished(() => pool.close({ drain: 0 }));
    const first = await borrow(pool);
    first.giveBack();
    await expect.poll(() => [pool.idle, peers.length]).toEqual([1, 1]);
    const second = await borrow(pool);
    expect(second.socket).toBe(first.socket);
    second.giveBack();
    await expect.poll(() => pool.idle).toBe(1);
    peers[0]?.end();
    await expect.poll(() => pool.size).toBe(0);
    expect((await borrow(pool)).socket).not.toBe(first.socket);
  });
});

describe('a handshake', () => {
  test('that fails is no connection: what waits is sent on the next one, after what a handler of secureConnect writes', async () => {
    const plain = await rawServer((peer) => peer.end('this is not TLS\r\n'));
    const { peers, port } = await secure();
    const ports = [plain.port];
    const link = reconnect(() => dialTls(ports.shift() ?? port), { backoff: { initial: 1 } });
    onTestFinished(() => link.error());
    link.next(' kept');
    const { log } = record(
      link.pipe(
        tap(({ type }) => {
          if (type === 'secureConnect') link.next('first');
        }),
      ),
    );
    await expect.poll(() => peers.length).toBe(1);
    let received = '';
    peers[0]?.on('data', (chunk) => {
      received += chunk;
    });
    await expect.poll(() => received).toBe('first kept');
    expect(link.readyState).toBe('open');
    expect(log.filter((entry) => /onnect$/.test(entry))).toEqual(['connect', 'disconnect', 'connect', 'secureConnect']);
    expect(record(link).log).toEqual(['connect', 'secureConnect']);
  });

  test('that fails is told by acquire(), and what it gives is secure', async () => {
    const { port } = await secure();
    const authorities = ['', cert];
    const pool = connectionPool(() => dialTls(port, authorities.shift()));
    onTestFinished(() => pool.close({ drain: 0 }));
    await expect(borrow(pool)).rejects.toMatchObject({ name: 'ConnectError' });
    expect((await borrow(pool)).socket.readyState).toBe('open');
  });
});
