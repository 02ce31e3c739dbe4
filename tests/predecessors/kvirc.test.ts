// KVIrc: the features of its socket class, and the class on its page.
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import {
  connect,
  connections,
  type DropEvent,
  data,
  listen,
  on,
  reader,
  type Socket,
  saveTo,
  sendFile,
  serve,
} from '@rxsock/core';
import type { Registrable } from '@rxsock/core/registry';
import * as tls from '@rxsock/tls';
import * as udp from '@rxsock/udp';
import * as unix from '@rxsock/unix';
import { filter, firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { cert, key } from '../support/certificate.js';
import { closedPort, drainRaw, pair } from '../support/raw-peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { listening, ported } from './support.js';

test('KVIrc: states Unconnected, HostLookUp, Connecting, Connected, Bound, Closing, Listening', async () => {
  const changes = (member: Registrable) => firstValueFrom(member.readyStates.pipe(toArray()));
  const server = listen();
  const ofServer = changes(server);
  const { port } = await listening(server, server.pipe(serve((socket) => socket.pipe(data()))));
  expect(server.address).toEqual({ address: '127.0.0.1', port, family: 'IPv4' });

  const socket = connect({ host: 'localhost', family: 4, port });
  const ofSocket = changes(socket);
  socket.pipe(on('connect')).subscribe(() => socket.complete());
  expect(await ofSocket).toEqual([
    'idle', // Unconnected
    'resolving', // HostLookUp
    'connecting', // Connecting
    'open', // Connected
    'readOnly',
    'closing', // Closing
    'closed', // Unconnected
  ]);
  await server.close();
  expect(await ofServer).toEqual(['idle', 'opening', 'listening', 'closing', 'closed']); // Listening

  const datagrams = udp.bind();
  const ofDatagrams = changes(datagrams);
  await datagrams.bind();
  await datagrams.close();
  expect(await ofDatagrams).toEqual(['idle', 'opening', 'open', 'closed']); // Bound
});

test('KVIrc: listen on port 0, on an interface, on IPv6 only; accept or be dropped', async () => {
  const client = (port: number, host: string) => {
    const peer = net.connect({ port, host }).on('error', () => {});
    onTestFinished(() => void peer.destroy());
    return peer;
  };
  const local = listen({ port: 0, host: '127.0.0.2', claimTimeout: 10 });
  const dropped = firstValueFrom(local.pipe(filter((event): event is DropEvent => event.type === 'drop')));
  const { address, port } = await listening(local);
  expect({ address, free: port > 0 }).toEqual({ address: '127.0.0.2', free: true });

  const accepted = firstValueFrom(local.pipe(connections()));
  const first = client(port, '127.0.0.2');
  const socket = await accepted;
  socket.next('welcome'); // a write accepts it
  const [welcome] = await once(first, 'data');
  expect(String(welcome)).toBe('welcome');

  const second = client(port, '127.0.0.2'); // not accepted by anything
  const secondPort = once(second, 'connect').then(() => second.localPort);
  expect((await drainRaw(second)).end).toBe('ECONNRESET');
  expect(await dropped).toMatchObject({ reason: 'unclaimed', remote: { port: await secondPort } });
  expect(first.destroyed).toBe(false);

  const six = listen({ host: '::', ipv6Only: true });
  const { port: sixPort } = await listening(six, six.pipe(serve(() => 'six')));
  expect(String((await drainRaw(client(sixPort, '::1'))).bytes)).toBe('six');
  expect((await drainRaw(client(sixPort, '127.0.0.1'))).end).toBe('ECONNREFUSED');
});

test('KVIrc: $read(length), memory buffers, $write of arrays and files, $setProtocol', async () => {
  await using folder = await temporaryFolder();
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const { socket, peer } = await pair();
  peer.write(every);
  {
    using bytes = reader(socket); // $read(length)
    expect(await bytes.read(2)).toEqual(Buffer.from([0, 1])); // NUL is NUL
    expect(await bytes.read(254)).toEqual(every.subarray(2)); // a memory buffer
  }
  const received = drainRaw(peer);
  for (const item of [Uint8Array.of(0xff, 0x00), 'text']) socket.next(item); // an array
  const file = join(folder.path, 'file');
  await writeFile(file, every);
  await lastValueFrom(sendFile(socket, file)); // a file
  expect((await received).bytes).toEqual(Buffer.concat([Buffer.from([0xff, 0]), Buffer.from('text'), every]));
  const copy = join(folder.path, 'copy');
  const saved = lastValueFrom(socket.pipe(data(), saveTo(copy))); // $read into a file
  peer.end(every);
  await saved;
  expect(await readFile(copy)).toEqual(every);

  // $setProtocol: the verbs are the same, and so are their results.
  const path = join(folder.path, 'socket');
  const echo = serve((socket: Socket) => socket.pipe(data()));
  const [tcp, secure, local] = [listen(), tls.listen({ key, cert }), unix.listen({ path })];
  const { port } = await listening(tcp, tcp.pipe(echo));
  const { port: securePort } = await listening(secure, secure.pipe(echo));
  await listening(local, local.pipe(echo));
  const sockets = [
    connect({ host: '127.0.0.1', port }),
    tls.connect({ host: 'localhost', port: securePort, family: 4, ca: cert }),
    unix.connect({ path }),
  ];
  for (const each of sockets) {
    each.next('hello');
    expect(String(await firstValueFrom(each.pipe(data())))).toBe('hello');
    await each.close();
  }
  expect(sockets.map(({ type }) => type)).toEqual(['tcp', 'tls', 'unix']);
  const datagrams = udp.bind();
  datagrams.pipe(on('message')).subscribe(datagrams);
  const asker = udp.connect({ port: (await datagrams.bind()).port });
  expect(String((await firstValueFrom(udp.request(asker, 'hello'))).data)).toBe('hello');
  await Promise.all([asker.close(), datagrams.close()]);
});

test('KVIrc: its program, the HTTP request, with a web server', async () => {
  const head = await ported('kvirc');
  const requests: string[] = [];
  const server = http.createServer(({ method, url, headers }, response) => {
    requests.push(`${method} ${url} ${headers.host}`);
    response.setHeader('X-Whole', 'yes').end('a body that nobody gets');
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as net.AddressInfo;

  const program = head('localhost', port);
  expect(await program.exited).toBe(0);
  expect(requests).toEqual(['HEAD / localhost']);
  expect(program.stdout).toMatch(/^HTTP\/1\.1 200 OK\n(.+\n)*X-Whole: yes\n(.+\n)*\n$/);
  const printed = program.stderr.trim().split('\n');
  expect(printed).toEqual(
    expect.arrayContaining(['idle', 'connecting', 'open', 'the server has closed the connection', 'closed']),
  );

  const refused = head('127.0.0.1', await closedPort());
  expect(await refused.exited).toBe(0);
  expect(refused.stderr).toMatch(/^idle\nconnecting\nclosed\nfailed: .*ECONNREFUSED.*\n$/);
});
