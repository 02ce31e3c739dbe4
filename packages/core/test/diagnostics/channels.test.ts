// The diagnostics channels of sockets and servers: what is published, when, and that a subscriber harms nobody.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type net from 'node:net';
import { inspect } from 'node:util';
import { connect, data, lines, listen, on, type Server, type Socket, serve } from '@rxsock/core';
import type { ChannelMessages } from '@rxsock/core/diagnostics';
import { tapBytes } from '@rxsock/core/internal';
import { firstValueFrom, from, tap } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

const SOCKET = ['dial', 'open', 'hold', 'release', 'error', 'close'] as const;
const SERVER = ['listening', 'connection', 'drop', 'draining', 'close'] as const;

interface Published {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: the messages of all channels
  readonly message: any;
}

/** Records the channels until the test is over. */
function published(): Published[] {
  const all: Published[] = [];
  const names = [...SOCKET.map((name) => `rxsock:socket:${name}`), ...SERVER.map((name) => `rxsock:server:${name}`)];
  for (const name of names) listenTo(name, (message) => all.push({ name: name.slice('rxsock:'.length), message }));
  return all;
}

function listenTo(name: string, listener: (message: unknown) => void): void {
  subscribe(name, listener);
  onTestFinished(() => void unsubscribe(name, listener));
}

/** Runs an echo server until the test is over. */
async function echo(): Promise<{ server: Server; port: number }> {
  const server = listen();
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
  onTestFinished(() => server.close({ drain: 0 }));
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  return { server, port: (address as net.AddressInfo).port };
}

const ofSocket = (all: readonly Published[], socket: Socket) => all.filter(({ message }) => message.socket === socket);

describe('a connection', () => {
  test('publishes dial, open and close on its side, and connection, open and close on the side of the server', async () => {
    const all = published();
    const { server, port } = await echo();
    const socket = connect({ port });
    socket.next('hello');
    socket.complete();
    await record(socket).ended;
    await expect.poll(() => all.filter(({ name }) => name === 'socket:close')).toHaveLength(2);
    expect(ofSocket(all, socket)).toMatchObject([
      { name: 'socket:dial', message: { socket, role: 'client', target: `localhost:${port}` } },
      {
        name: 'socket:open',
        message: { role: 'client', local: socket.local, remote: socket.remote, dialDuration: expect.any(Number) },
      },
      { name: 'socket:close', message: { report: { how: 'fin', bytesRead: 5, bytesWritten: 5 }, error: undefined } },
    ]);
    const rest = all.filter(({ message }) => message.socket !== socket);
    const accepted = rest[1]?.message.socket as Socket;
    expect(rest).toMatchObject([
      { name: 'server:listening', message: { server, address: { port } } },
      { name: 'server:connection', message: { server, socket: accepted } },
      { name: 'socket:open', message: { socket: accepted, role: 'server', dialDuration: undefined } },
      { name: 'socket:close', message: { socket: accepted, role: 'server', report: { how: 'fin' } } },
    ]);
    await server.close();
    expect(all.slice(-2)).toMatchObject([
      { name: 'server:draining', message: { server } },
      { name: 'server:close', message: { server, error: undefined } },
    ]);
  });
});

describe('a tap', () => {
  test('sees the bytes and the ends of a socket in their order, after open and before close', async () => {
    const all = published();
    const { port } = await echo();
    const log: string[] = [];
    const socket = connect({ port });
    onTestFinished(
      tapBytes<Socket>({
        received: (of, bytes) => void (of === socket && log.push(`received ${Buffer.from(bytes)}`)),
        receivedEnd: (of) => void (of === socket && log.push('received FIN')),
        sent: (of, bytes) => void (of === socket && log.push(`sent ${Buffer.from(bytes)}`)),
        sentEnd: (of) => void (of === socket && log.push('sent FIN')),
        datagramReceived: () => {},
        datagramSent: () => {},
      }),
    );
    listenTo('rxsock:socket:open', (message) => {
      if ((message as ChannelMessages['rxsock:socket:open']).socket === socket) log.push('open');
    });
    listenTo('rxsock:socket:close', (message) => {
      if ((message as ChannelMessages['rxsock:socket:close']).socket === socket) log.push('close');
    });
    socket.next('hello');
    socket.complete();
    await record(socket).ended;
    expect(log).toEqual(['open', 'sent hello', 'sent FIN', 'received hello', 'received FIN', 'close']);
    expect(all.length).toBeGreaterThan(0);
  });
});

describe('a hold that only waits for the next turn of the event loop', () => {
  /** The messages about holds of a socket. */
  const holdsOf = (all: readonly Published[], socket: Socket) =>
    ofSocket(all, socket).filter(({ name }) => /hold|release/.test(name));

  test('is not published: the consumer of many frames is not behind', async () => {
    const all = published();
    const server = listen();
    server.pipe(serve(() => from(Array.from({ length: 64 }, () => 'line\n'.repeat(2_000))))).subscribe();
    onTestFinished(() => server.close({ drain: 0 }));
    const { address } = await firstValueFrom(server.pipe(on('listening')));
    const socket = connect({ port: (address as net.AddressInfo).port });
    const reasons = new Set<string>();
    const { ended } = record(
      socket.pipe(
        data(),
        lines(),
        // A slow consumer: 128,000 lines of a microsecond each.
        tap(() => {
          for (const start = performance.now(); performance.now() - start < 0.001; );
        }),
      ),
    );
    while (socket.readyState !== 'closed') {
      for (const reason of socket.holds) reasons.add(reason);
      await turns(1);
    }
    await ended;
    expect([...reasons]).toEqual(['the next turn']);
    expect(holdsOf(all, socket)).toEqual([]);
  });

  test('is published if a consumer joins it, and then so is its release', async () => {
    const all = published();
    const { port } = await echo();
    const socket = connect({ port });
    record(socket);
    await socket.write('hello');
    socket.hold('the next turn')();
    const pause = socket.hold('the next turn');
    expect(inspect(socket)).not.toContain('next turn');
    const lunch = socket.hold('lunch');
    await expect.poll(() => holdsOf(all, socket)).toHaveLength(1);
    pause();
    lunch();
    expect(holdsOf(all, socket)).toMatchObject([
      { name: 'socket:hold' },
      { name: 'socket:release', message: { duration: expect.any(Number) } },
    ]);
    socket.error();
  });
});
