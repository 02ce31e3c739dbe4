// A subscriber may be closed when it subscribes: RxJS does that when a subscription ends inside a `switchMap()`. Then
// nothing is begun for it that nobody would end.
import {
  data,
  exchange,
  framed,
  lines,
  linesCodec,
  on,
  relay,
  type Socket,
  sendFile,
  sendFrom,
  through,
  writeTo,
} from '@rxsock/core';
import { singleInstance } from '@rxsock/core/process';
import { firstValueFrom, type Observable, of, Subscriber } from 'rxjs';
import { expect, test } from 'vitest';
import { instancePort } from '../../../../tests/support/processes/index.js';
import { drainRaw, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { poolOf } from '../support/pools.js';
import { reconnectingTo } from '../support/reconnecting.js';

function subscribeClosed(source: Observable<unknown>): void {
  const subscriber = new Subscriber<unknown>();
  subscriber.unsubscribe();
  source.subscribe(subscriber);
}

test.each<[string, (socket: Socket) => Observable<unknown>]>([
  ['its events', (socket) => socket],
  ['its bytes', (socket) => socket.pipe(data())],
  ['its lines', (socket) => socket.pipe(data(), lines())],
  ['one of its events', (socket) => socket.pipe(on('end'))],
])('a socket is not kept open for %s', async (_what, of) => {
  const { socket, peer } = await pair({ keepOpen: false });
  subscribeClosed(of(socket));
  expect((await drainRaw(peer)).end).toBe('end');
  peer.end();
  expect(await socket.close()).toMatchObject({ how: 'fin' });
});

test('acquire() and use() of a pool take no connection', async () => {
  const server = await rawServer();
  const { pool } = poolOf(server.port, { max: 1 });
  for (const source of [pool.acquire(), pool.use(() => ['used'])]) subscribeClosed(source);
  await turns();
  expect([pool.size, pool.waiting]).toEqual([0, 0]);
  expect(await firstValueFrom(pool.use(() => ['used']))).toBe('used');
});

test('exchange() sends no request', async () => {
  const { socket, peer } = await pair();
  const rpc = exchange(framed(socket, linesCodec()));
  subscribeClosed(rpc.request('given up'));
  record(rpc.request('asked'));
  const [received] = await new Promise<Buffer[]>((resolve) => peer.once('data', (...chunk) => resolve(chunk)).resume());
  expect(String(received)).toBe('asked\n');
  expect(rpc.pending).toBe(1);
});

test('exchange() over reconnect() keeps no request', async () => {
  const server = await rawServer();
  const { reconnecting } = reconnectingTo(server.port);
  const rpc = exchange(framed(reconnecting, linesCodec()));
  subscribeClosed(rpc.request('given up'));
  await turns();
  expect(rpc.pending).toBe(0);
  expect(server.peers).toEqual([]);
});

test('singleInstance() does not listen', async () => {
  const port = await instancePort();
  subscribeClosed(singleInstance({ name: 'editor', args: [], port }));
  const { log, subscription } = record(singleInstance({ name: 'editor', args: [], port }));
  await expect.poll(() => log).toEqual(['acquired']);
  subscription.unsubscribe();
});

const transfers: [string, (socket: Socket) => Observable<unknown>][] = [
  ['through()', (socket) => of('x').pipe(through(socket))],
  ['writeTo()', (socket) => of('x').pipe(writeTo(socket))],
  ['sendFrom()', (socket) => sendFrom(socket, ['x'])],
  ['sendFile()', (socket) => sendFile(socket, '/dev/null')],
  ['relay()', (socket) => relay(socket, socket)],
];

test.each(transfers)('%s sends nothing, and leaves the socket as it is', async (_what, transfer) => {
  const { socket, peer } = await pair();
  subscribeClosed(transfer(socket));
  await turns();
  expect([socket.readyState, socket.writableLength, socket.bytesWritten]).toEqual(['open', 0, 0]);
  await socket.write('y');
  socket.complete();
  expect(await drainRaw(peer)).toEqual({ bytes: Buffer.from('y'), end: 'end' });
});

test('framed() waits for another subscriber', async () => {
  const { socket, peer } = await pair();
  const frames = framed(socket, linesCodec());
  subscribeClosed(frames);
  peer.write('one\ntwo\n');
  await turns();
  const { log } = record(frames);
  await expect.poll(() => log).toEqual(['one', 'two']);
});
