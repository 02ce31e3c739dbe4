// Two copies of core in one program: the sources, which tests import by name, and the build. Whatever needs both to know
// the same object fails with an error that names both copies.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as ours from '@rxsock/core';
import { handOver } from '@rxsock/core/process';
import { httpConnect } from '@rxsock/core/proxy';
import { SocketRegistry } from '@rxsock/core/registry';
import { socketPair } from '@rxsock/core/testing';
import { firstValueFrom, lastValueFrom, map, mergeMap, type Observable, of, share, take } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as theirs from '../../dist/index.js';
import { socketPair as theirPair } from '../../dist/testing/index.js';
import { VERSION } from '../../src/base/copy.js';

const folder = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** A socket of the other copy. */
function theirSocket() {
  const [socket, far] = theirPair();
  onTestFinished(() => {
    socket.error();
    far.error();
  });
  return Object.assign(socket, { far }) as unknown as ours.Socket & { readonly far: ours.Socket };
}

const named = /Two copies of @rxsock\/core/;

test('the version in the sources is that of package.json', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(VERSION).toBe(version);
});

test('the error names both versions, both folders, and the command that shows them', () => {
  const copy = `version ${VERSION} in ${folder}`;
  const message = `Two copies of @rxsock/core cannot use each other's objects. It is of ${copy}, and is used with ${copy}. See: npm ls @rxsock/core`;
  expect(() => ours.reader(theirSocket())).toThrow(new TypeError(message));
});

describe('refused at the call:', () => {
  const codec = ours.linesCodec();
  const { reader, relay, sendFile, toDuplex, through, writeTo, opened, framed, exchange, serve } = ours;
  test.each<[string, (socket: ours.Socket) => unknown]>([
    ['data()', (socket) => socket.pipe(ours.data())],
    ['on()', (socket) => socket.pipe(ours.on('end'))],
    [
      'on() behind a stock operator',
      (socket) =>
        socket.pipe(
          map((event) => event),
          ours.on('end'),
        ),
    ],
    ['decodeText()', (socket) => (socket as unknown as Observable<Buffer>).pipe(ours.decodeText())],
    ['writeTo()', (socket) => of('x').pipe(writeTo(socket))],
    ['through()', (socket) => of('x').pipe(through(socket))],
    ['reader()', (socket) => reader(socket)],
    ['relay(), as the first', (socket) => relay(socket, socketPair()[0])],
    ['relay(), as the second', (socket) => relay(socketPair()[0], socket)],
    ['sendFile()', (socket) => sendFile(socket, '/dev/null')],
    ['toDuplex()', (socket) => toDuplex(socket)],
    ['opened()', (socket) => opened(socket)],
    ['framed()', (socket) => framed(socket, codec)],
    ['exchange()', (socket) => exchange(theirs.framed(socket as never, codec) as never)],
    ['serve()', () => (theirs.listen() as unknown as ours.Server).pipe(serve(() => ''))],
    ['reconnect()', (socket) => ours.reconnect(() => socket)],
    ['connectionPool()', (socket) => ours.connectionPool(() => socket)],
    ['httpConnect()', (socket) => lastValueFrom(ours.connect({ port: 1, via: httpConnect(() => socket) }))],
    ['budget', () => ours.listen({ budget: theirs.memoryBudget(1e6) })],
    ['handOver()', () => handOver({ http: theirs.listen() as never }, process.execPath)],
  ])('%s', async (_, use) => {
    await expect((async () => use(theirSocket()))()).rejects.toThrow(named);
  });
});

describe('fails at the subscription, in place of a consumer that cannot hold its source:', () => {
  const bytesOf = (socket: ours.Socket) => socket.pipe(theirs.data() as never) as Observable<Buffer>;
  test.each<[string, (bytes: Observable<Buffer>) => Observable<unknown>]>([
    ['lines()', (bytes) => bytes.pipe(ours.lines())],
    ['mapWithBackpressure()', (bytes) => bytes.pipe(ours.mapWithBackpressure(async (x) => x))],
    [
      'mapWithBackpressure() behind share()',
      (bytes) =>
        bytes.pipe(
          share(),
          ours.mapWithBackpressure(async (x) => x),
        ),
    ],
    ['limitRate()', (bytes) => bytes.pipe(ours.limitRate({ bytes: 1000 }))],
    ['writeTo() behind stock operators', (bytes) => bytes.pipe(map(String), take(1), ours.writeTo(socketPair()[0]))],
    [
      'a consumer of inner sources',
      (bytes) =>
        of(1).pipe(
          mergeMap(() => bytes),
          ours.lines(),
        ),
    ],
    ['lines() of theirs, on bytes of ours', () => socketPair()[0].pipe(ours.data(), theirs.lines() as never)],
  ])('%s', async (_, use) => {
    await expect((async () => lastValueFrom(use(bytesOf(theirSocket()))))()).rejects.toThrow(named);
  });
});

test('for await does not read bytes of another copy that it could not hold', async () => {
  const bytes = theirSocket().pipe(theirs.data() as never) as Observable<Buffer>;
  await expect((async () => ours.toAsyncIterable(bytes)[Symbol.asyncIterator]().next())()).rejects.toThrow(named);
});

test('a registry of one copy broadcasts to sockets of the other one', async () => {
  const socket = theirSocket();
  const registry = new SocketRegistry();
  registry.add(socket, 'theirs');
  registry.match('*').next('hello');
  expect(String(await firstValueFrom(socket.far.pipe(theirs.data() as never)))).toBe('hello');
});

test('nothing is said while each copy uses its own objects', async () => {
  const [near, far] = theirPair();
  near.next('hello\n');
  near.complete();
  far.complete();
  expect(await lastValueFrom(far.pipe(theirs.data(), theirs.lines()))).toBe('hello');
});
