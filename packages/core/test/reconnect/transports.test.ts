// reconnect() and connectionPool() accept any socket: here UNIX and TLS streams.
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { connectionPool, exchange, framed, fromDuplex, lines, linesCodec, reconnect, type Socket } from '@rxsock/core';
import { filter, firstValueFrom, tap } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cert, key } from '../../../../tests/support/certificate.js';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { connectOver } from '../../src/internal.js';
import { acquire } from '../support/pools.js';

interface Transport {
  /** The connections that the server has accepted, in order. */
  readonly peers: net.Socket[];
  readonly dial: () => Socket;
}

async function listening(server: net.Server, options: net.ListenOptions, event: string): Promise<net.Socket[]> {
  const peers: net.Socket[] = [];
  server.on(event, (peer: net.Socket) => peers.push(peer.on('error', () => {})));
  server.listen(options);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const peer of peers) peer.destroy();
    server.close();
  });
  return peers;
}

async function unix(): Promise<Transport> {
  const folder = await testFolder();
  const path = join(folder, 's');
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

/** Dials as `@rxsock/tls` does: TCP first, then the handshake. */
function dialTls(port: number, ca: string | undefined = cert): Socket {
  const options = { port, host: '127.0.0.1' };
  return connectOver(options, {
    type: 'tls',
    secure: (socket, onSecure) => {
      const stream = tls.connect({ socket, servername: 'localhost', ...(ca && { ca }) });
      stream.on('error', (error) => onSecure.failed(error));
      stream.on('close', () => onSecure.failed(new Error('closed')));
      stream.on('secureConnect', () => onSecure.done(stream));
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
  test('a reconnecting socket makes another connection when the peer ends one', async () => {
    const { peers, dial } = await transport();
    const reconnecting = reconnect(dial, { backoff: { initial: 1 } });
    onTestFinished(() => reconnecting.error());
    const { values } = record(reconnecting.eachConnection(lines({ trailing: 'drop' })));
    reconnecting.next('hello');
    await expect.poll(() => peers.length).toBe(1);
    expect(String((await once(peers[0] as net.Socket, 'data'))[0])).toBe('hello');
    peers[0]?.end('one\ntw');
    await expect.poll(() => peers.length).toBe(2);
    peers[1]?.write('three\n');
    await expect.poll(() => values).toEqual(['one', 'three']);
    expect(reconnecting.readyState).toBe('open');
  });

  test('an exchange over a reconnecting socket goes on with the next connection', async () => {
    const { peers, dial } = await transport();
    const reconnecting = reconnect(dial, { backoff: { initial: 1 } });
    onTestFinished(() => reconnecting.error());
    const rpc = exchange(framed(reconnecting, linesCodec({ trailing: 'drop' })));
    for (const round of [0, 1]) {
      const reply = record(rpc.request('hello'));
      await expect.poll(() => peers.length).toBe(round + 1);
      expect(String((await once(peers[round] as net.Socket, 'data'))[0])).toBe('hello\n');
      peers[round]?.write(`${round}\n`);
      await expect.poll(() => reply.log).toEqual([`${round}`, 'complete']);
      const ended = firstValueFrom(reconnecting.pipe(filter(({ type }) => type === 'disconnect')));
      peers[round]?.end();
      await ended;
    }
  });

  test('a pool uses a connection again, and replaces one that the peer has ended', async () => {
    const { peers, dial } = await transport();
    const pool = connectionPool(dial);
    onTestFinished(() => pool.close({ drain: 0 }));
    const first = await acquire(pool);
    first.release();
    await expect.poll(() => [pool.idle, peers.length]).toEqual([1, 1]);
    const second = await acquire(pool);
    expect(second.socket).toBe(first.socket);
    second.release();
    await expect.poll(() => pool.idle).toBe(1);
    peers[0]?.end();
    await expect.poll(() => pool.size).toBe(0);
    expect((await acquire(pool)).socket).not.toBe(first.socket);
  });
});

describe('a handshake', () => {
  test('that fails is not a connection: queued writes go out on the next one, after what a secureConnect handler writes', async () => {
    const plain = await rawServer((peer) => peer.end('this is not TLS\r\n'));
    const { peers, port } = await secure();
    const ports = [plain.port];
    const reconnecting = reconnect(() => dialTls(ports.shift() ?? port), { backoff: { initial: 1 } });
    onTestFinished(() => reconnecting.error());
    reconnecting.next(' kept');
    const { log } = record(
      reconnecting.pipe(
        tap(({ type }) => {
          if (type === 'secureConnect') reconnecting.next('first');
        }),
      ),
    );
    await expect.poll(() => peers.length).toBe(1);
    let received = '';
    peers[0]?.on('data', (chunk) => {
      received += chunk;
    });
    await expect.poll(() => received).toBe('first kept');
    expect(reconnecting.readyState).toBe('open');
    expect(log.filter((entry) => /onnect$/.test(entry))).toEqual(['connect', 'disconnect', 'connect', 'secureConnect']);
    expect(record(reconnecting).log).toEqual(['connect', 'secureConnect']);
  });

  test('that fails is not a connection: requests of an exchange wait for the next one', async () => {
    const plain = await rawServer((peer) => peer.end('this is not TLS\r\n'));
    const { peers, port } = await secure();
    const ports = [plain.port];
    const reconnecting = reconnect(() => dialTls(ports.shift() ?? port), { backoff: { initial: 1 } });
    onTestFinished(() => reconnecting.error());
    const reply = record(exchange(framed(reconnecting, linesCodec())).request('hello'));
    await expect.poll(() => peers.length).toBe(1);
    peers[0]?.resume().write('hi\n');
    await expect.poll(() => reply.log).toEqual(['hi', 'complete']);
  });

  test('that fails is an error of acquire(), and a connection that acquire() emits is secure', async () => {
    const { port } = await secure();
    const authorities = ['', cert];
    const pool = connectionPool(() => dialTls(port, authorities.shift()));
    onTestFinished(() => pool.close({ drain: 0 }));
    await expect(acquire(pool)).rejects.toMatchObject({ name: 'ConnectError' });
    expect((await acquire(pool)).socket.readyState).toBe('open');
  });
});
