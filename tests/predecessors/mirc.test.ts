// mIRC: the features of its scripts, and the bot on its page.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import {
  ConnectError,
  connect,
  connections,
  data,
  encode,
  framed,
  linesCodec,
  listen,
  on,
  type Server,
  type Socket,
  sendFile,
  serve,
  writeTo,
} from '@rxsock/core';
import { isPortFree } from '@rxsock/core/lookup';
import { SocketRegistry, snapshot } from '@rxsock/core/registry';
import * as udp from '@rxsock/udp';
import { firstValueFrom, lastValueFrom, of, tap, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { closedPort, drainRaw, pair, rawServer } from '../support/raw-peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { turns } from '../support/turns.js';
import { listening, ported } from './support.js';

const BLOCK = 4096;

test('mIRC: /sockopen, on SOCKOPEN/SOCKREAD/SOCKWRITE/SOCKCLOSE/SOCKLISTEN, /sockaccept, /sockclose', async () => {
  const server = listen();
  const heard: string[] = [];
  const { port } = await listening(
    server,
    server.pipe(
      connections(), // on SOCKLISTEN
      tap((socket) => {
        socket.subscribe((event) => heard.push(event.type === 'data' ? `data ${event.data}` : event.type));
        socket.next('welcome');
      }),
    ),
  );

  const socket = connect({ host: '127.0.0.1', port }); // /sockopen
  const client: string[] = [];
  const bytes = firstValueFrom(socket.pipe(data())); // on SOCKREAD
  socket.pipe(on('connect')).subscribe(() => client.push('open')); // on SOCKOPEN
  expect(String(await bytes)).toBe('welcome');
  await socket.write('thanks'); // on SOCKWRITE
  const report = await socket.close(); // /sockclose

  expect(client).toEqual(['open']);
  await expect.poll(() => heard).toEqual(['connect', 'data thanks', 'end', 'finish', 'close']); // on SOCKCLOSE
  expect(report).toMatchObject({ by: 'local', how: 'fin', bytesRead: 7, bytesWritten: 6, bytesUnsent: 0 });
});

test('mIRC: /sockwrite -n (adds CRLF)', async () => {
  const crlf = linesCodec({ delimiter: '\r\n' });
  const { socket, peer } = await pair();
  await lastValueFrom(of('NICK me', 'JOIN #a').pipe(encode(crlf), writeTo(socket, { end: false })));
  const irc = framed(socket, crlf);
  irc.next('QUIT');
  expect(() => irc.next('QUIT\r\nOPER smuggled in')).toThrow('delimiter');
  irc.complete();
  expect(String((await drainRaw(peer)).bytes)).toBe('NICK me\r\nJOIN #a\r\nQUIT\r\n');
});

test('mIRC: named sockets; wildcards in /sockwrite www* …, /sockclose info*; /sockmark', async () => {
  const sockets = new SocketRegistry();
  const named = async (name: string) => {
    const { socket, peer } = await pair();
    sockets.add(socket, name);
    return peer;
  };
  const [www1, www2, info] = [await named('www1'), await named('www2'), await named('info1')];
  const events: string[] = [];
  const web = sockets.match('www*');
  web.subscribe(({ socket, event }) =>
    events.push(`${socket.name}: ${event.type === 'data' ? event.data : event.type}`),
  );

  expect(sockets.get('www1')?.readyState).toBe('open');
  expect(() => sockets.add(connect({ port: 1 }), 'www1')).toThrow("The name 'www1' belongs to a socket");
  sockets.match('www*').next('hello'); // /sockwrite www*
  sockets.match('www?').mark({ visits: 1 }); // /sockmark
  sockets.add(sockets.get('www2')!, 'www-two'); // /sockrename
  www2.end('bye');
  expect([...web].map(({ name, mark }) => ({ name, mark }))).toEqual([
    { name: 'www1', mark: { visits: 1 } },
    { name: 'www-two', mark: { visits: 1 } },
  ]);
  info.resume().end();
  await sockets.match('info*').close(); // /sockclose info*

  expect(sockets.get('info1')).toBeUndefined();
  expect(String((await drainRaw(www2)).bytes)).toBe('hello');
  await expect.poll(() => sockets.names()).toEqual(['www1']);
  expect(events).toContain('www-two: bye');
  web.complete();
  expect(String((await drainRaw(www1)).bytes)).toBe('hello');

  const all = new SocketRegistry<Socket | Server | udp.DatagramSocket>();
  const server = all.add(listen(), 'ear'); // /socklisten
  const mail = all.add(udp.bind(), 'mail'); // /sockudp
  await Promise.all([listening(server), mail.bind()]);
  expect([...all].map(({ name, type, readyState }) => [name, type, readyState])).toEqual([
    ['ear', 'tcp', 'listening'],
    ['mail', 'udp', 'open'],
  ]);
  await all.match('*').close(); // /sockclose *
  expect(all.names()).toEqual([]);
});

test('mIRC: $sock(name,N): name, port, ip, status, sent, rcvd, sq, rq, ls, lr, mark, type, saddr, sport, to', async () => {
  const before = Date.now();
  const { socket, peer } = await pair();
  new SocketRegistry().add(socket, 'www');
  socket.mark = { user: 'me' };
  peer.write('read');
  expect(String(await firstValueFrom(socket.pipe(data())))).toBe('read');
  await socket.write('sent');
  peer.write('not read');
  await expect.poll(() => socket.readableLength).toBe(8);

  const sock = snapshot(socket);
  expect(sock).toEqual({
    id: socket.id,
    name: 'www',
    mark: { user: 'me' },
    type: 'tcp',
    readyState: 'open', // .status
    remote: { address: '127.0.0.1', port: peer.localPort, family: 'IPv4' }, // .ip, .port
    local: { address: '127.0.0.1', port: peer.remotePort, family: 'IPv4' },
    bytesWritten: 4, // .sent
    bytesRead: 12, // .rcvd
    writableLength: 0, // .sq
    readableLength: 8, // .rq
    lastWriteAt: socket.lastWriteAt, // .ls
    lastReadAt: socket.lastReadAt, // .lr
    openedAt: socket.openedAt, // .to
    holds: [],
    holders: [],
  });
  for (const at of [sock.openedAt!, sock.lastReadAt!, sock.lastWriteAt!]) {
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  }
  while (socket.writableLength < 65_536) socket.next(randomBytes(65_536));
  expect(snapshot(socket).writableLength).toBe(socket.writableLength); // .sq

  const server = udp.bind();
  const message = firstValueFrom(server.pipe(on('message')));
  await server.bind();
  const client = udp.connect({ port: server.local!.port });
  await client.send('hello');
  expect((await message).remote).toEqual(client.local); // .saddr, .sport
  await Promise.all([client.close(), server.close()]);
});

test('mIRC: sending a file in 4096-byte pieces on SOCKWRITE', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'file');
  const bytes = randomBytes(10 * BLOCK + 1);
  await writeFile(file, bytes);
  const { socket, peer } = await pair();
  const received = drainRaw(peer);

  const progress = await lastValueFrom(sendFile(socket, file, { chunkSize: BLOCK }).pipe(toArray()));

  const sent = Array.from({ length: 11 }, (_, piece) => piece * BLOCK).concat(bytes.length);
  expect(progress.map(({ bytesSent }) => bytesSent)).toEqual(sent);
  expect(await received).toEqual({ bytes, end: 'end' });
});

test('mIRC: $sockerr, $sockbr, $portfree(N)', async () => {
  const refused = await closedPort();
  const error = await lastValueFrom(connect({ host: '127.0.0.1', port: refused })).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ConnectError); // $sockerr
  expect(error).toMatchObject({ code: 'ECONNREFUSED', phase: 'open' });

  const { socket, peer } = await pair();
  const event = firstValueFrom(socket.pipe(on('data')));
  peer.write('12345');
  expect((await event).data.length).toBe(5); // $sockbr

  const server = listen();
  const { port } = await listening(server);
  expect(await isPortFree(port)).toBe(false); // $portfree
  await server.close();
  expect(await isPortFree(port)).toBe(true);
});

test('mIRC: close in 1 second, once all is sent', async () => {
  const bytes = randomBytes(5_000_003);
  const { socket, peer } = await pair();
  socket.next(bytes);
  expect(socket.writableLength).toBeGreaterThan(0);
  const closed = socket.close(); // no timer: it waits for the bytes to be sent
  await turns();
  expect(socket.readyState).not.toBe('closed');
  expect((await drainRaw(peer)).bytes.equals(bytes)).toBe(true);
  peer.end();
  expect(await closed).toMatchObject({ how: 'fin', bytesWritten: bytes.length, bytesUnsent: 0 });

  const server = listen();
  const { port } = await listening(server, server.pipe(serve(() => of(bytes))));
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  expect((await drainRaw(client)).bytes.equals(bytes)).toBe(true); // serve completes
  client.end();
  await server.close({ drain: Number.POSITIVE_INFINITY });
  expect(server.sockets.size).toBe(0);
});

test('mIRC: its program, the bot, with a server', async () => {
  const bot = await ported('mirc');
  const server = await rawServer();
  const program = bot('127.0.0.1', server.port, '#there');
  const peer = await server.next();
  let said = '';
  peer.on('data', (bytes) => {
    said += bytes;
  });
  peer.resume();

  await expect.poll(() => said).toBe('NICK rxbot\r\nUSER rxbot 0 * :a bot\r\n');
  peer.write(':irc.local 001 rxbot :Welcome\r\nPING :12');
  await expect.poll(() => said).toMatch(/bot\r\nJOIN #there\r\n$/);
  peer.write('34\r\n:joe!j@host PRIVMSG #there :!time\r\n:joe!j@host PRIVMSG #there :hello\r\n');
  peer.end();

  expect(await program.exited).toBe(0);
  const [, , , ...answers] = said.split('\r\n');
  expect(answers).toEqual([
    'PONG :1234',
    expect.stringMatching(/^PRIVMSG #there :\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/),
    '',
  ]);
  expect(program.stdout).toBe('The server has closed the connection.\n');
});
