// Tcl: the features of its channels, features that its users asked for, and the server on its page.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  connect,
  data,
  delimited,
  encode,
  lines,
  linesCodec,
  on,
  reconnect,
  saveTo,
  sendFile,
  through,
  writeTo,
} from '@rxsock/core';
import { isPortFree, servicePort } from '@rxsock/core/lookup';
import { AlreadyRunningError, type InstanceEvent, singleInstance } from '@rxsock/core/process';
import { SocketRegistry, snapshot } from '@rxsock/core/registry';
import { bufferCount, firstValueFrom, lastValueFrom, map, of, Subject, toArray } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { needProgram } from '../support/need-program.js';
import { instancePort } from '../support/processes/index.js';
import { run } from '../support/program.js';
import { dial, drainRaw, opened, pair, rawServer } from '../support/raw-peers.js';
import { record } from '../support/record.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { turns } from '../support/turns.js';
import { ported } from './support.js';

test('Tcl: -async connect, -myaddr, -myport, service names (socket host smtp)', async () => {
  const server = await rawServer();
  const localPort = await instancePort();
  const socket = dial({ port: server.port, localAddress: '127.0.0.2', localPort, keepOpen: true });
  expect(socket.readyState).toBe('idle'); // -async: nothing has happened yet
  socket.next('early'); // and written bytes are kept
  await opened(socket);
  const peer = await server.next();
  expect([peer.remoteAddress, peer.remotePort]).toEqual(['127.0.0.2', localPort]);
  expect(socket.local).toEqual({ address: '127.0.0.2', port: localPort, family: 'IPv4' });
  socket.complete();
  expect(String((await drainRaw(peer)).bytes)).toBe('early');

  needProgram('/etc/services');
  const smtp = dial({ port: 'smtp' }); // perhaps something listens there, perhaps not
  const attempt = firstValueFrom(smtp.pipe(on('connectionAttempt')));
  expect(await attempt).toMatchObject({ address: '127.0.0.1', port: 25 });
  expect(await servicePort('smtp')).toBe(25);
});

test('Tcl: asked for and missing: half-close (spamd), knowing the remote left, introspection', async () => {
  const server = await rawServer();
  const answer = lastValueFrom(
    of('PROCESS SPAMC/1.2\r\n\r\nthe mail').pipe(
      through(connect({ host: '127.0.0.1', port: server.port })),
      map(String),
      toArray(),
    ),
  );
  const spamd = await server.next();
  const request = await drainRaw(spamd); // up to our FIN
  expect(request).toEqual({ bytes: Buffer.from('PROCESS SPAMC/1.2\r\n\r\nthe mail'), end: 'end' });
  spamd.end('SPAMD/1.1 0 EX_OK\r\n'); // and the way back is still open
  expect((await answer).join('')).toBe('SPAMD/1.1 0 EX_OK\r\n');

  const { socket, peer } = await pair({ allowHalfOpen: true });
  const left = firstValueFrom(socket.pipe(on('end'))); // nobody reads, nobody writes
  peer.end();
  expect(await left).toEqual({ type: 'end' });
  expect(socket.readyState).toBe('writeOnly');

  const sockets = new SocketRegistry();
  sockets.add(socket, 'sock1');
  expect([...sockets].map(snapshot)).toMatchObject([
    { name: 'sock1', readyState: 'writeOnly', remote: { port: peer.localPort }, bytesRead: 0 },
  ]);
  const closed = socket.close();
  expect(await closed).toMatchObject({ by: 'peer', how: 'fin' });
  expect(sockets.names()).toEqual([]);
});

test('Tcl: line, full and no buffering; -translation', async () => {
  const { socket, peer } = await pair();
  const unheard = { error: () => {} }; // at the end of the test
  const puts = new Subject<string>();
  puts.pipe(encode(linesCodec()), writeTo(socket, { end: false })).subscribe(unheard);
  const written = async () => {
    await turns(1);
    return socket.bytesWritten;
  };
  puts.next('one'); // line
  expect(await written()).toBe(4);
  socket.next('t'); // no buffering, and still one system call: all of one turn
  socket.next('w');
  expect(socket.bytesWritten).toBe(4);
  expect(await written()).toBe(6);
  const full = new Subject<string>();
  const together = full.pipe(
    bufferCount(2),
    map((texts) => texts.join('')),
  );
  together.pipe(writeTo(socket, { end: false })).subscribe(unheard);
  full.next('o'); // full
  expect(await written()).toBe(6);
  full.next('\n');
  expect(await written()).toBe(8);
  socket.next(linesCodec({ delimiter: '\r\n' }).encode('crlf'));
  socket.complete();
  expect(String((await drainRaw(peer)).bytes)).toBe('one\ntwo\ncrlf\r\n');

  const read = async (text: string, translation: typeof lines) => {
    const { socket, peer } = await pair();
    const read = lastValueFrom(socket.pipe(data(), translation(), map(String), toArray()));
    peer.end(text);
    return read;
  };
  const text = 'a\r\nb\nc\rd';
  expect(await read(text, () => lines())).toEqual(['a', 'b', 'c\rd']); // auto
  expect(await read(text, () => lines({ delimiter: '\r\n' }))).toEqual(['a', 'b\nc\rd']); // crlf
  expect(await read(text, () => delimited('\r') as never)).toEqual(['a', '\nb\nc', 'd']); // cr
});

test('Tcl: one instance only, by a listening port', async () => {
  const port = await instancePort();
  const events: InstanceEvent[] = [];
  const first = singleInstance({ name: 'editor', port }).subscribe((event) => events.push(event));
  onTestFinished(() => first.unsubscribe());
  await expect.poll(() => events.map(({ type }) => type)).toEqual(['acquired']);
  expect(await isPortFree(port)).toBe(false);

  const second = record(singleInstance({ name: 'editor', port, args: ['letter.txt'] }));
  const { error } = await second.ended;
  expect(error).toBeInstanceOf(AlreadyRunningError);
  expect(error).toMatchObject({ pid: process.pid, delivered: true });
  expect(events[1]).toMatchObject({ type: 'launch', args: ['letter.txt'] });
});

test('Tcl: automatic reconnect client sockets; sending a file through a socket', async () => {
  const server = await rawServer();
  const backoff = { initial: 1, max: 10, factor: 2, jitter: 0 };
  const reconnecting = reconnect(() => connect({ host: '127.0.0.1', port: server.port }), { backoff });
  onTestFinished(() => reconnecting.error());
  const heard: string[] = [];
  reconnecting
    .eachConnection((bytes) => bytes.pipe(lines({ trailing: 'drop' })))
    .subscribe({ next: (line) => heard.push(line), error: () => {} });
  const cut = firstValueFrom(reconnecting.pipe(on('disconnect')));
  (await server.next()).end('one\nhal'); // the server ends in the middle of a line
  await cut;
  reconnecting.next('while away');
  const again = await server.next();
  again.end('two\n'); // the half line was dropped, not joined to this one
  reconnecting.complete();
  expect(String((await drainRaw(again)).bytes)).toBe('while away');
  await expect.poll(() => heard).toEqual(['one', 'two']);

  await using folder = await temporaryFolder();
  const [file, copy] = [join(folder.path, 'file'), join(folder.path, 'copy')];
  const bytes = randomBytes(300_000);
  await writeFile(file, bytes);
  const { socket, peer } = await pair();
  const received = drainRaw(peer);
  await lastValueFrom(sendFile(socket, file));
  expect((await received).bytes.equals(bytes)).toBe(true);
  peer.end(bytes);
  expect(await lastValueFrom(socket.pipe(data(), saveTo(copy)))).toEqual({ bytesSaved: bytes.length });
});

test('Tcl: its program, the server, with nc', async () => {
  const capitals = await ported('tcl');
  const program = capitals(0);
  const [, port] = await program.printed(/^Listening on port (\d+)\n$/);

  const nc = await run('nc', ['-N', '127.0.0.1', port!], 'ham\r\nand\nspam');
  expect(await nc.exited).toBe(0);
  expect(nc.stdout).toBe('HAM\r\nAND\r\nSPAM\r\n');
  expect(await program.interrupt()).toBe(0);
  expect(program.stderr).toBe('');
});
