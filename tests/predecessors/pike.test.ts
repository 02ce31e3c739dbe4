// Pike: the features of its files, ports and modules, and the port forwarder on its page.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import {
  connect,
  connectionPool,
  connections,
  data,
  discard,
  type Endpoint,
  formatEndpoint,
  lines,
  listen,
  on,
  serve,
  through,
} from '@rxsock/core';
import { localAddresses, resolveHost, reverseLookup } from '@rxsock/core/lookup';
import { handOver } from '@rxsock/core/process';
import { SocketRegistry } from '@rxsock/core/registry';
import * as udp from '@rxsock/udp';
import * as unix from '@rxsock/unix';
import { firstValueFrom, lastValueFrom, map, of, take, toArray } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { needProgram } from '../support/need-program.js';
import { killChild, program as processes } from '../support/processes/index.js';
import { run } from '../support/program.js';
import { accepted, closedPort, dial, drainRaw, opened, pair, rawServer } from '../support/raw-peers.js';
import { recordTuningCalls } from '../support/tuning.js';
import { turns } from '../support/turns.js';
import { ask, temporaryPath } from '../support/unix-servers.js';
import { listening, ported } from './support.js';

test('Pike: gethostbyname/addr, own name and addresses', async () => {
  expect(await resolveHost('localhost', { family: 4 })).toEqual([{ address: '127.0.0.1', family: 'IPv4' }]);
  const name = await reverseLookup('127.0.0.1');
  expect(await resolveHost(name)).toContainEqual({ address: '127.0.0.1', family: 'IPv4' });
  const addresses = localAddresses({ family: 4 });
  expect(addresses).toContainEqual({
    address: '127.0.0.1',
    family: 'IPv4',
    interface: expect.any(String),
    internal: true,
  });
  for (const { address } of addresses) {
    const { port } = await listening(listen({ host: address })); // it is an address of this machine: we can listen there
    expect(port).toBeGreaterThan(0);
  }
  expect(hostname()).not.toBe('');
});

test('Pike: close("r"), close("w"), close("rw")', async () => {
  const { socket, peer } = await pair({ highWaterMark: 1024 });
  socket.pipe(discard()).subscribe({ error: () => {} }); // close("r"): incoming bytes are dropped, and the peer does not have to wait
  const flood = Buffer.alloc(5_000_000);
  await new Promise<void>((resolve) => peer.write(flood, () => resolve()));
  await expect.poll(() => socket.bytesRead).toBe(flood.length);
  expect(socket.readableLength).toBe(0);
  await socket.write('still writing');
  peer.end();
  expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('still writing'), end: 'end' });

  const half = await pair();
  const heard = lastValueFrom(half.socket.pipe(data(), map(String), toArray()));
  half.socket.complete(); // close("w")
  expect((await drainRaw(half.peer)).end).toBe('end');
  half.peer.end('still reading');
  expect(await heard).toEqual(['still reading']);

  const both = await pair();
  both.socket.next('all of it');
  const closed = both.socket.close(); // close("rw")
  expect(await drainRaw(both.peer)).toEqual({ bytes: Buffer.from('all of it'), end: 'end' });
  both.peer.end();
  expect(await closed).toMatchObject({ by: 'local', how: 'fin', bytesUnsent: 0 });
});

test('Pike: connection pool', async () => {
  const server = await rawServer((peer) => peer.pipe(peer));
  const validate = vi.fn(() => true);
  await using pool = connectionPool(() => connect({ host: '127.0.0.1', port: server.port }), { max: 2, validate });
  const ask = (text: string) =>
    lastValueFrom(
      pool.use((socket) => {
        socket.next(`${text}\n`);
        return socket.pipe(data(), lines(), take(1));
      }),
    );
  expect(await Promise.all(['one', 'two', 'three', 'four', 'five'].map(ask))).toEqual([
    'one',
    'two',
    'three',
    'four',
    'five',
  ]);
  expect(server.peers).toHaveLength(2); // max, used again
  expect(validate).toHaveBeenCalledTimes(3);
  await expect.poll(() => [pool.size, pool.idle]).toEqual([2, 2]);
  for (const peer of server.peers) peer.destroy();
  await expect.poll(() => pool.size).toBe(0); // broken ones are noticed
  expect(await ask('six')).toBe('six'); // and replaced
  expect(server.peers).toHaveLength(3);
});

describe('Pike: options: reuse, keepalive, nodelay, buffers, broadcast, multicast, interface', () => {
  test('keepalive, nodelay', async () => {
    const { port } = await rawServer();
    const plain = () => opened(dial({ port, keepOpen: true, noDelay: false }));
    expect(await recordTuningCalls(plain)).toEqual({ noDelay: [], keepAlive: [] });
    const probing = () => opened(dial({ port, keepOpen: true, keepAlive: 60_000 }));
    expect(await recordTuningCalls(probing)).toEqual({ noDelay: [[true]], keepAlive: [[true, 60]] }); // the system counts in seconds
    const taken = () => accepted({ keepAlive: 30_000, noDelay: false });
    expect(await recordTuningCalls(taken)).toEqual({ noDelay: [], keepAlive: [[true, 30]] });
  });

  test('reuse', async () => {
    const old = listen();
    const { port } = await listening(old);
    const socket = dial({ port, keepOpen: true });
    await opened(socket);
    await old.close({ drain: 0 }); // its connections linger in the system
    expect((await listening(listen({ port }))).port).toBe(port);
    await expect(lastValueFrom(listen({ port }))).rejects.toMatchObject({ code: 'EADDRINUSE' });

    await using first = udp.bind({ reuseAddr: true });
    const { port: shared } = await first.bind();
    await using other = udp.bind({ port: shared, reuseAddr: true });
    expect((await other.bind()).port).toBe(shared);
    await expect(udp.bind({ port: shared }).bind()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('buffers', async () => {
    const flooded = async (options: udp.BindOptions) => {
      await using receiver = udp.bind(options);
      const { port } = await receiver.bind();
      await using sender = udp.connect({ port, sendBufferSize: 65_536 });
      await Promise.all(Array.from({ length: 50 }, () => sender.send(Buffer.alloc(1_000))));
      const lost = await receiver.drops();
      await expect.poll(() => receiver.report.messagesRead).toBe(50 - lost!);
      return lost;
    };
    expect(await flooded({ recvBufferSize: 4_096 })).toBeGreaterThan(30); // they did not fit
    expect(await flooded({})).toBe(0);
  });

  test('broadcast, multicast, interface', async () => {
    await using receiver = udp.bind({ host: '0.0.0.0', broadcast: true });
    const { port } = await receiver.bind();
    const broadcast = firstValueFrom(receiver.pipe(on('message')));
    await receiver.send({ data: 'to all', remote: { address: '127.255.255.255', port } });
    expect(String((await broadcast).data)).toBe('to all');
    await using shy = udp.bind({ host: '0.0.0.0' });
    const refused = shy.send({ data: 'to all', remote: { address: '127.255.255.255', port } });
    await expect(refused).rejects.toMatchObject({ code: 'EACCES' });

    const group = '239.255.77.13';
    const lo = '127.0.0.1';
    await using member = udp.bind({
      host: '0.0.0.0',
      memberships: [{ group, interface: lo }],
      multicastInterface: lo,
      multicastTTL: 0,
    });
    const { port: memberPort } = await member.bind();
    const message = firstValueFrom(member.pipe(on('message')));
    await member.send({ data: 'to the group', remote: { address: group, port: memberPort } });
    expect(await message).toMatchObject({ data: Buffer.from('to the group'), remote: { address: lo } });
  });
});

test('Pike: multi-homed server, daemon, restart on demand', async () => {
  const server = listen({ host: '0.0.0.0' });
  const address = ({ local }: { local: Endpoint | undefined }) => (local ? formatEndpoint(local) : 'nowhere');
  const { port } = await listening(server, server.pipe(serve((socket) => `you came to ${address(socket)}`)));
  const ask = async (host: string) => String((await drainRaw(net.connect({ host, port }))).bytes);
  expect(await ask('127.0.0.1')).toBe(`you came to 127.0.0.1:${port}`);
  expect(await ask('127.0.0.2')).toBe(`you came to 127.0.0.2:${port}`);

  // The successor inherits the descriptor, as from systemd; the port is never without a listener.
  const successor = await handOver(server, process.execPath, [processes('successor'), 'ready'], { cwd: '/' });
  onTestFinished(() => killChild(successor));
  expect(server.address).toBeUndefined();
  expect(await ask('127.0.0.2')).toBe('unknown of nobody in /');
});

test('Pike: bind_unix, listen_fd: restart on demand on a path', async () => {
  const { folder, path } = temporaryPath();
  const server = unix.listen({ path });
  await listening(server, server.pipe(serve(() => 'the first')));
  expect(await ask(path)).toBe('the first');
  const program = fileURLToPath(new URL('../../packages/unix/test/process/successor.mjs', import.meta.url));
  const successor = await handOver({ echo: server }, process.execPath, [
    program,
    'ready',
    JSON.stringify({ echo: path }),
  ]);
  onTestFinished(() => killChild(successor));
  expect(await ask(path)).toBe(`echo at ${path}`);
  successor.kill();
  await once(successor, 'exit');
  expect(readdirSync(folder)).toEqual([]);
});

describe('Pike: backsniff, fwdport, select servers, Future-based HTTP GET', () => {
  test('backsniff', async () => {
    const trap = listen();
    const caught = firstValueFrom(trap.pipe(connections()));
    const { port } = await listening(trap);
    const scanner = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.3' }).on('error', () => {});
    const [{ remote, local }] = await Promise.all([caught, once(scanner, 'connect')]);
    expect(remote).toEqual({ address: '127.0.0.3', port: scanner.localPort, family: 'IPv4' });
    expect(local).toMatchObject({ port });
    scanner.destroy();
  });

  test('select server: many clients in one process, each receives what the others send', async () => {
    const sockets = new SocketRegistry();
    const guests = sockets.match('guest*');
    const server = listen();
    const { port } = await listening(
      server,
      server.pipe(
        connections(),
        map((socket) => sockets.add(socket, `guest${sockets.size + 1}`)),
      ),
    );
    guests.subscribe(({ socket, event }) => {
      if (event.type === 'data') guests.next(`${socket.name}: ${event.data}`);
    });
    const clients = [1, 2, 3].map(() => net.connect({ port, host: '127.0.0.1' }));
    onTestFinished(() => clients.forEach((client) => void client.destroy()));
    await expect.poll(() => sockets.size).toBe(3);
    clients[1]?.write('hello');
    for (const client of clients) expect(String((await once(client, 'data'))[0])).toMatch(/^guest\d: hello$/);
  });

  test('Future-based HTTP GET', async () => {
    const server = http.createServer((request, response) => response.end(`this is ${request.url}`));
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as net.AddressInfo;
    const get = (path: string): Promise<string | undefined> =>
      lastValueFrom(
        of(`GET ${path} HTTP/1.0\r\n\r\n`).pipe(
          through(() => connect({ host: '127.0.0.1', port }), { end: false }),
          toArray(),
          map((chunks) => Buffer.concat(chunks).toString().split('\r\n\r\n')[1]),
        ),
      );
    expect(await Promise.all(['/one', '/two'].map(get))).toEqual(['this is /one', 'this is /two']);
  });

  test('its program, fwdport, with nc', async () => {
    needProgram('nc');
    const fwdport = await ported('pike');
    const target = await rawServer();
    const program = fwdport('127.0.0.1:0', `localhost:${target.port}`);
    const [, port = ''] = await program.printed(/^Listening on 127\.0\.0\.1:(\d+)\n/);

    const nc = run('nc', ['-N', '127.0.0.1', port], 'request');
    const peer = await target.next();
    expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('request'), end: 'end' }); // its half-close has arrived
    peer.end('and a late answer');
    expect((await nc).stdout).toBe('and a late answer');
    await program.printed(/^127\.0\.0\.1:\d+: 7 bytes there, 17 back, fin$/m);

    const client = net.connect({ port: Number(port), host: '127.0.0.1' });
    const second = await target.next();
    second.resetAndDestroy();
    expect((await drainRaw(client)).end).toBe('ECONNRESET'); // and so has a reset
    await program.printed(/ECONNRESET|reset/, 'stderr');
    expect(await program.interrupt()).toBe(0);

    const nowhere = fwdport('127.0.0.1:0', `127.0.0.1:${await closedPort()}`);
    const [, otherPort] = await nowhere.printed(/^Listening on 127\.0\.0\.1:(\d+)\n/);
    const refused = net.connect({ port: Number(otherPort), host: '127.0.0.1' });
    expect((await drainRaw(refused)).end).toBe('ECONNRESET');
    await nowhere.printed(/ECONNREFUSED/, 'stderr');
    await turns();
    expect(await nowhere.interrupt()).toBe(0);
  });
});
