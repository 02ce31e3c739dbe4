// What the process sends to a page, and what it costs to be asked.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { connect, connectionPool, data, lines, listen, reconnect, type Socket, serve } from '@rxsock/core';
import { bind } from '@rxsock/udp';
import { filter, firstValueFrom, map, take } from 'rxjs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { EventStreams } from '../src/event-streams.js';
import type { PoolRow, ReconnectRow, TimelineEntry } from '../src/messages.js';
import { Recorder } from '../src/recorder.js';
import { inspectHere, messages, snapshots, snapshotWhere } from './support.js';

/** A server that sends back what it receives, and sockets that are connected to it. */
async function echo(...names: string[]): Promise<{ port: number; sockets: Socket[] }> {
  const server = listen({ port: 0 });
  server.name = 'echo';
  const serving = server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
  const address = server.pipe(
    filter((event) => event.type === 'listening'),
    map((event) => event.address),
  );
  const { port } = await firstValueFrom(address);
  const sockets = names.map((name) => Object.assign(connect({ port }), { name }));
  for (const socket of sockets) socket.pipe(data()).subscribe({ error: () => {} });
  await Promise.all(sockets.map((socket) => socket.write('hello')));
  onTestFinished(async () => {
    serving.unsubscribe();
    await Promise.all(sockets.map((socket) => socket.close({ timeout: 0 })));
    await server.close({ drain: 0 });
  });
  return { port, sockets };
}

const named =
  (name: string) =>
  (each: { readonly name: string }): boolean =>
    each.name === name;

test('sockets and servers that were open before are shown, with their ends and their bytes', async () => {
  const { port, sockets } = await echo('ada');
  const { url } = await inspectHere();
  const { rows, servers } = await snapshotWhere(url, ({ rows }) => rows.find(named('ada'))?.bytesRead === 5);
  expect(rows.find(named('ada'))).toMatchObject({
    id: sockets[0]!.id,
    type: 'tcp',
    role: 'client',
    state: 'open',
    remote: `127.0.0.1:${port}`,
    bytesWritten: 5,
    holder: '',
  });
  expect(rows.filter(({ role }) => role === 'server')).toHaveLength(1);
  expect(servers.find(named('echo'))).toMatchObject({ state: 'listening', address: `127.0.0.1:${port}`, sockets: 1 });
});

test('a held socket is shown with its holders and since when', async () => {
  const { url } = await inspectHere();
  const { sockets } = await echo('ada', 'grace');
  const release = sockets[1]!.hold('lunch');
  const query = `show=held&selected=${sockets[1]!.id}`;
  const { rows, held, selected } = await snapshotWhere(url, ({ rows }) => rows.length > 0, query);
  expect(rows.map(({ name, holder }) => [name, holder])).toEqual([['grace', 'lunch']]);
  expect(held).toBe(1);
  expect(selected?.holders).toEqual([{ reason: 'lunch', since: expect.closeTo(Date.now(), -4), stack: '' }]);
  release();
  const later = await snapshotWhere(url, ({ held }) => held === 0, query);
  expect(later.selected).toMatchObject({ holders: [], heldSince: 0 });
});

test('a hold that two looks have seen is an entry of the timeline, a short one is not', async () => {
  const { url } = await inspectHere();
  const { sockets } = await echo('ada');
  const [socket] = sockets;
  socket!.hold('short')();
  const release = socket!.hold('long');
  const since = Date.now();
  const query = `selected=${socket!.id}`;
  const textsOf = (timeline: readonly TimelineEntry[] = []) => timeline.map(({ text }) => text);
  const noted = await snapshotWhere(url, ({ selected }) => textsOf(selected?.timeline).includes('held by long'), query);
  expect(noted.selected!.timeline.at(-1)!.time).toBeCloseTo(since, -2);
  release();
  const { selected } = await snapshotWhere(url, ({ selected }) => selected?.heldSince === 0, query);
  expect(textsOf(selected!.timeline)).toEqual([
    expect.stringMatching(/^dials localhost:\d+$/),
    expect.stringMatching(/^open after [\d.]+ ms$/),
    'held by long',
    'released',
  ]);
});

test('states of a socket that is shown are entries of its timeline', async () => {
  const { url } = await inspectHere();
  const { sockets } = await echo('ada');
  sockets[0]!.hold('so that the end is not delivered');
  sockets[0]!.complete();
  const query = `selected=${sockets[0]!.id}`;
  const { selected } = await snapshotWhere(url, ({ selected }) => selected?.state === 'readOnly', query);
  expect(selected!.timeline.map(({ state }) => state)).toEqual(expect.arrayContaining(['open', 'readOnly']));
});

test('the close report of a socket is shown after its end, in full and in the list', async () => {
  const { url } = await inspectHere();
  const { sockets } = await echo('ada');
  const { id } = sockets[0]!;
  await snapshotWhere(url, ({ rows }) => rows.find(named('ada'))?.bytesRead === 5);
  sockets[0]!.error(new Error('enough'));
  const isClosed = ({ closed }: { closed: readonly { id: number }[] }) => closed.some((each) => each.id === id);
  const { selected, closed, totals } = await snapshotWhere(url, isClosed, `selected=${id}`);
  const end = { how: 'abort', by: 'local', bytesRead: 5, bytesWritten: 5, bytesUnsent: 0 };
  expect(selected).toMatchObject({ name: 'ada', state: 'closed', end });
  expect(selected!.timeline.at(-1)!.state).toBe('closed');
  expect(closed.find((each) => each.id === id)).toMatchObject({ name: 'ada', ...end });
  expect(totals.failed).toBeGreaterThanOrEqual(1);
});

test('datagram sockets are shown with their counters', async () => {
  const { url } = await inspectHere();
  const socket = bind({ port: 0 });
  socket.name = 'dns';
  onTestFinished(() => void socket.close());
  const { port } = await socket.bind();
  const { rows, selected } = await snapshotWhere(url, ({ rows }) => rows.some(named('dns')), `selected=${socket.id}`);
  expect(rows.find(named('dns'))).toMatchObject({ type: 'udp', state: 'open', local: `127.0.0.1:${port}` });
  expect(selected!.counters).toMatchObject({ messagesRead: 0, messagesDropped: 0 });
});

test('a reconnecting socket is shown while it is open, while it waits, and after it has failed', async () => {
  const { url } = await inspectHere();
  const server = listen({ port: 0 });
  const accepting = server.subscribe();
  const listening = server.pipe(
    filter((event) => event.type === 'listening'),
    map((event) => event.address),
  );
  const { port } = await firstValueFrom(listening);
  const feed = reconnect(() => connect({ host: '127.0.0.1', port }), {
    backoff: { initial: 60_000, max: 60_000, jitter: 0 },
  });
  feed.name = 'feed';
  onTestFinished(() => feed.error());
  const failed = new Promise((resolve) => feed.subscribe({ error: resolve }));
  const shown = async (state: string) => {
    const isShown = (row: ReconnectRow) => row.name === 'feed' && row.state === state;
    const { reconnects } = await snapshotWhere(url, ({ reconnects }) => reconnects.rows.some(isShown));
    return reconnects.rows.find(isShown);
  };
  const target = `127.0.0.1:${port}`;
  expect(await shown('open')).toMatchObject({ target, retries: 0, retryAt: 0, socket: feed.socket!.id, lastEnd: '' });
  accepting.unsubscribe();
  await server.close({ drain: 0 });
  const { retryAt, ...waiting } = (await shown('waiting'))!;
  expect(waiting).toMatchObject({
    target,
    retries: 1,
    socket: 0,
    lastEnd: expect.stringMatching(/^ResetError ECONNRESET: /),
  });
  expect(retryAt - Date.now()).toBeGreaterThan(50_000);
  feed.error(new SyntaxError('a secret'));
  await failed;
  expect(await shown('closed')).toMatchObject({ lastEnd: 'AbortedError ERR_SOCKET_ABORTED, because of SyntaxError' });
});

test('what the setup of a reconnecting socket, its factory or its shouldRetry say is not shown', async () => {
  const { url } = await inspectHere();
  const { port } = await echo();
  const secret = 'correct horse battery staple';
  const fail = () => {
    throw new Error(secret);
  };
  const dial = () => connect({ port });
  const named = [
    Object.assign(reconnect(dial, { setup: fail }), { name: 'setup' }),
    Object.assign(reconnect(dial, { setup: fail, maxRetries: 0 }), { name: 'exhausted' }),
    Object.assign(reconnect(dial, { setup: fail, shouldRetry: fail }), { name: 'shouldRetry' }),
  ];
  for (const socket of named) socket.subscribe({ error: () => {} });
  onTestFinished(() => named.forEach((socket) => void socket.error()));
  const { reconnects } = await snapshotWhere(
    url,
    ({ reconnects }) => reconnects.rows.filter(({ lastEnd }) => lastEnd !== '').length === named.length,
  );
  expect(Object.fromEntries(reconnects.rows.map(({ name, lastEnd }) => [name, lastEnd]))).toEqual({
    setup: 'SocketError ERR_SETUP_FAILED, because of Error',
    exhausted: 'ReconnectError ERR_RECONNECT_EXHAUSTED after SocketError ERR_SETUP_FAILED, because of Error',
    shouldRetry: 'Error',
  });
  expect(JSON.stringify(reconnects)).not.toContain('horse');
});

test('a pool is shown with its connections, the calls that wait, and what the last call that failed has failed with', async () => {
  const { url } = await inspectHere();
  const { port } = await echo();
  const pool = Object.assign(
    connectionPool(() => connect({ port }), { max: 2, maxWaiting: 1 }),
    { name: 'redis' },
  );
  onTestFinished(() => pool.close({ drain: 0 }));
  const shown = async (condition: (row: PoolRow) => boolean) => {
    const isShown = (row: PoolRow) => row.name === 'redis' && condition(row);
    const { pools } = await snapshotWhere(url, ({ pools }) => pools.rows.some(isShown));
    return pools.rows.find(isShown);
  };
  const empty = { target: `localhost:${port}`, state: 'open', size: 0, max: 2, idle: 0, inUse: 0, waiting: 0 };
  expect(await shown(() => true)).toMatchObject({ ...empty, lastError: '' });
  const ask = pool.use((socket) => {
    socket.next('hello\n');
    return socket.pipe(data(), lines(), take(1));
  });
  await firstValueFrom(ask);
  expect(await shown(({ idle }) => idle === 1)).toMatchObject({ ...empty, size: 1, idle: 1 });
  const users = [1, 2, 3].map(() => pool.acquire().subscribe({ error: () => {} }));
  onTestFinished(() => users.forEach((user) => void user.unsubscribe()));
  pool.acquire().subscribe({ error: () => {} });
  expect(await shown(({ inUse, lastError }) => inUse === 2 && lastError !== '')).toMatchObject({
    ...empty,
    size: 2,
    inUse: 2,
    waiting: 1,
    lastError: expect.stringMatching(/^PoolError ERR_POOL_FULL: /),
  });
  const closed = pool.close();
  expect(await shown(({ state }) => state === 'closing')).toMatchObject({ size: 2, waiting: 0 });
  for (const user of users) user.unsubscribe();
  await closed;
  await snapshotWhere(url, ({ pools }) => !pools.rows.some(named('redis')));
});

test('a view has its filter, its order and its page', async () => {
  const { url } = await inspectHere();
  const { sockets } = await echo('ada 3', 'ada 1', 'ada 2', 'grace');
  const namesOf = async (query: string) => {
    const { rows, matched } = await snapshotWhere(url, ({ rows }) => rows.length > 0, query);
    return [rows.map(({ name }) => name), matched];
  };
  expect(await namesOf('filter=ADA&order=name')).toEqual([['ada 1', 'ada 2', 'ada 3'], 3]);
  expect(await namesOf('filter=ada&order=name&descending')).toEqual([['ada 3', 'ada 2', 'ada 1'], 3]);
  expect(await namesOf('filter=ada&order=name&offset=2')).toEqual([['ada 3'], 3]);
  expect(await namesOf('filter=ada&order=name&offset=99')).toEqual([['ada 3'], 3]);
  expect(await namesOf(`filter=%23${sockets[3]!.id}&order=name`)).toEqual([['grace'], 1]);
  sockets[2]!.hold('lunch');
  expect(await namesOf('filter=lunch')).toEqual([['ada 2'], 1]);
});

test('bytes of a connection are never sent, also not in the reason of an abort', async () => {
  const { url } = await inspectHere();
  const { sockets } = await echo('ada');
  const secret = 'correct horse battery staple';
  sockets[0]!.mark = secret;
  await sockets[0]!.write(secret);
  sockets[0]!.error(new SyntaxError(`Unexpected token: ${secret}`));
  let sent = '';
  for await (const message of messages(url, `selected=${sockets[0]!.id}`)) {
    sent += message;
    if (message.includes('ERR_SOCKET_ABORTED')) break;
  }
  expect(sent).toContain('because of SyntaxError');
  expect(sent).not.toContain('horse');
});

test('a page gets at most four snapshots a second', async () => {
  const { url } = await inspectHere();
  const times: number[] = [];
  for await (const { time } of snapshots(url)) if (times.push(time) === 4) break;
  const gaps = times.slice(1).map((time, index) => time - times[index]!);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(240);
});

test('the more a look costs, the rarer it is', async () => {
  const { url } = await inspectHere();
  const { sockets } = await echo('slow');
  // A look at this socket takes 24 ms, of which the average takes a quarter at first.
  Object.defineProperty(sockets[0]!, 'bytesRead', {
    get: () => {
      for (const start = performance.now(); performance.now() - start < 24; );
      return 0;
    },
  });
  const { pace, cost } = await snapshotWhere(url, ({ cost }) => cost > 0);
  expect(cost).toBeGreaterThanOrEqual(6);
  expect(pace).toBeCloseTo(cost * 100);
});

test('a socket whose properties throw does not end the process: one warning says so', async () => {
  const { url } = await inspectHere();
  const { sockets } = await echo('broken', 'whole');
  const fail = () => {
    throw new Error('broken');
  };
  Object.defineProperty(sockets[0]!, 'bytesRead', { get: fail, configurable: true });
  const warned = once(process, 'warning');
  const stream = snapshots(url);
  const first = stream.next();
  expect((await warned)[0]).toMatchObject({
    message: expect.stringContaining('cannot show the sockets: Error: broken'),
  });
  Object.defineProperty(sockets[0]!, 'bytesRead', { value: 0 });
  expect((await first).value?.rows.some(named('whole'))).toBe(true);
  await stream.return(undefined);
});

test('nobody looks at the sockets while no page is open', async () => {
  const sample = vi.spyOn(Recorder.prototype, 'sample');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
    sample.mockRestore();
  });
  const { url } = await inspectHere();
  expect(vi.getTimerCount()).toBe(0);
  const stream = snapshots(url);
  const first = stream.next();
  await expect.poll(() => vi.getTimerCount()).toBe(1);
  vi.advanceTimersToNextTimer();
  await first;
  expect(sample).toHaveBeenCalled();
  await stream.return(undefined);
  // As soon as the page has left, the next look is the last.
  await expect.poll(() => vi.advanceTimersToNextTimer().getTimerCount()).toBe(0);
  const looks = sample.mock.calls.length;
  vi.advanceTimersByTime(60_000);
  expect(sample).toHaveBeenCalledTimes(looks);
});

test('nobody looks at the sockets after a connection with several requests for the events has closed', async () => {
  const added = vi.spyOn(EventStreams.prototype, 'add');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
    added.mockRestore();
  });
  const { url } = await inspectHere();
  const { host, port, pathname } = new URL(url);
  const page = net.connect(Number(port), '127.0.0.1').resume();
  onTestFinished(() => void page.destroy());
  page.write(`GET ${pathname}events HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(5));
  await expect.poll(() => added.mock.calls.length).toBe(5);
  expect(vi.advanceTimersToNextTimer().getTimerCount()).toBe(1);
  page.destroy();
  await expect.poll(() => vi.advanceTimersToNextTimer().getTimerCount()).toBe(0);
});

test('the inspector does not watch itself', async () => {
  const { url } = await inspectHere();
  const { totals, servers } = await snapshotWhere(url, () => true);
  expect([totals.sockets, servers]).toEqual([0, []]);
});

test('close() ends open pages, follows the channels no longer, and frees the port', async () => {
  const first = await inspectHere();
  const port = Number(new URL(first.url).port);
  const stream = snapshots(first.url);
  await stream.next();
  const ended = stream.next().catch(() => 'ended');
  await first.close();
  await first.close();
  await ended;
  const second = await inspectHere({ port });
  expect(new URL(second.url).port).toBe(String(port));
});

test('a port that is in use is named in the error', async () => {
  const { url } = await inspectHere();
  const { port } = new URL(url);
  await expect(inspectHere({ port: Number(port) })).rejects.toMatchObject({
    name: 'SocketError',
    code: 'EADDRINUSE',
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
});

test('a page that listens on all addresses is reached as localhost', async () => {
  const { url } = await inspectHere({ host: '0.0.0.0' });
  expect(new URL(url).hostname).toBe('localhost');
  expect((await fetch(url.replace('localhost', '127.0.0.1'))).status).toBe(200);
});

test('--import @rxsock/inspector/register prints the address, and lets the program end, also with an open page', async () => {
  // Ends when it has received something.
  const program = "process.stdin.once('data', () => process.stdin.destroy()); console.log('started');";
  const args = ['--import', '@rxsock/inspector/register', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, args, { cwd: join(import.meta.dirname, '..') });
  onTestFinished(() => void child.kill());
  const exited = once(child, 'exit');
  const [line] = (await once(child.stderr, 'data')) as [Buffer];
  expect(String(line)).toMatch(/^rxsock inspector of process \d+: http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/\n$/);
  const stream = snapshots(String(line).split(' ').at(-1)!.trim());
  await stream.next();
  const ended = stream.next().catch(() => 'ended');
  child.stdin.write('end');
  expect(await exited).toEqual([0, null]);
  await ended;
});
