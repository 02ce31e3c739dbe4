// The diagnostics channels and byte taps of datagram sockets.
import { BlockList } from 'node:net';
import { inspect } from 'node:util';
import { type ChannelMessages, type ChannelName, channel } from '@rxsock/core/diagnostics';
import { liveDatagramSockets, tapBytes } from '@rxsock/core/internal';
import { bind, connect, type DatagramSocket, mapMessages } from '@rxsock/udp';
import { NEVER } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';

/** Records a channel until the test is over. */
function published<N extends ChannelName>(name: N): ChannelMessages[N][] {
  const messages: ChannelMessages[N][] = [];
  const subscription = channel(name).subscribe((message) => messages.push(message));
  onTestFinished(() => subscription.unsubscribe());
  return messages;
}

test('a datagram socket publishes open and close, and is listed in between', async () => {
  const opened = published('rxsock:datagram:open');
  const closed = published('rxsock:datagram:close');
  const socket = bind();
  expect(inspect(socket)).toBe(`DatagramSocket #${socket.id} udp idle (0 messages read, 0 written)`);
  const local = await socket.bind();
  expect(opened).toEqual([{ socket, local, remote: undefined }]);
  expect(liveDatagramSockets.has(socket)).toBe(true);
  await socket.close();
  expect(closed).toEqual([{ socket, error: undefined }]);
  expect(liveDatagramSockets.has(socket)).toBe(false);
});

test('one that was never opened publishes nothing', async () => {
  const closed = published('rxsock:datagram:close');
  await bind().close();
  expect(closed).toEqual([]);
});

test('one that cannot open publishes its error, and then close', async () => {
  const errors = published('rxsock:datagram:error');
  const closed = published('rxsock:datagram:close');
  const first = bind();
  onTestFinished(() => void first.close());
  const second = bind({ port: (await first.bind()).port });
  const { error } = await record(second).ended;
  expect(errors).toEqual([{ socket: second, error }]);
  expect(closed).toEqual([{ socket: second, error }]);
});

test('datagrams that are not sent are published like sendError', async () => {
  const errors = published('rxsock:datagram:error');
  const socket = bind();
  onTestFinished(() => void socket.close());
  const remote = { address: '127.0.0.1', port: 9 };
  await expect(socket.send({ data: Buffer.alloc(70_000), remote })).rejects.toMatchObject({ code: 'EMSGSIZE' });
  expect(errors).toMatchObject([{ socket, error: { code: 'EMSGSIZE' } }]);
});

test('dropped datagrams are published with the reason, the sender and the length', async () => {
  const dropped = published('rxsock:datagram:drop');
  const blockList = new BlockList();
  blockList.addAddress('127.0.0.1');
  const sockets = [bind({ blockList }), bind(), bind()] as const;
  const [blocked, unread, full] = sockets;
  const sender = bind();
  onTestFinished(() => {
    for (const socket of [...sockets, sender]) void socket.close();
  });
  full.pipe(mapMessages(() => NEVER, { highWaterMark: 1 })).subscribe();
  const remote = await sender.bind();
  for (const socket of [blocked, unread]) await sender.send({ data: 'four', remote: await socket.bind() });
  for (const data of ['a', 'b', 'c']) await sender.send({ data, remote: await full.bind() });
  await expect.poll(() => dropped).toHaveLength(3);
  expect(dropped).toEqual(
    expect.arrayContaining([
      { socket: blocked, reason: 'blocked', remote, length: 4 },
      { socket: unread, reason: 'unread', remote, length: 4 },
      { socket: full, reason: 'overflow', remote, length: 1 },
    ]),
  );
});

test('a tap sees datagrams of both directions in their order, on connected sockets too', async () => {
  const log: [DatagramSocket, string][] = [];
  const ignore = () => {};
  onTestFinished(
    tapBytes<DatagramSocket>({
      received: ignore,
      receivedEnd: ignore,
      sent: ignore,
      sentEnd: ignore,
      datagramReceived: (socket, bytes, remote) =>
        log.push([socket, `< ${bytes} ${(remote as { port: number }).port}`]),
      datagramSent: (socket, bytes, { port }) => log.push([socket, `> ${bytes} ${port}`]),
    }),
  );
  const server = bind();
  onTestFinished(() => void server.close());
  server.subscribe((event) => {
    if (event.type === 'message') server.next({ data: 'pong', remote: event.remote });
  });
  const { port } = await server.bind();
  const client = connect({ host: '127.0.0.1', port });
  onTestFinished(() => void client.close());
  client.subscribe();
  client.next('ping');
  await expect.poll(() => log).toHaveLength(4);
  const of = (socket: unknown) => log.filter(([seen]) => seen === socket).map(([, what]) => what);
  expect(of(client)).toEqual([`> ping ${port}`, `< pong ${port}`]);
  expect(of(server)).toEqual([`< ping ${client.local?.port}`, `> pong ${client.local?.port}`]);
});

test('a subscriber of the channel of open sockets may close one: then it does not listen', async () => {
  const abort = channel('rxsock:datagram:open').subscribe(({ socket }) => (socket as DatagramSocket).error());
  onTestFinished(() => abort.unsubscribe());
  const socket = bind();
  const { log, ended } = record(socket);
  await expect(socket.bind()).rejects.toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
  await ended;
  expect(log).toEqual(['close', 'error:ERR_SOCKET_ABORTED']);
});
