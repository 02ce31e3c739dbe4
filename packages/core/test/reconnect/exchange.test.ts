// exchange() over a reconnecting socket: a request is sent on one connection, and shares its fate.
import { once } from 'node:events';
import type net from 'node:net';
import {
  type connect,
  type ExchangeOptions,
  exchange,
  framed,
  jsonLinesCodec,
  linesCodec,
  mapWithBackpressure,
  type ReconnectOptions,
  reader,
} from '@rxsock/core';
import { map, ReplaySubject, retry, Subject, take } from 'rxjs';
import { expect, test } from 'vitest';
import { as, currentUser } from '../../../../tests/support/contexts.js';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { reconnectingTo } from '../support/reconnecting.js';

interface Setting {
  readonly exchange?: ExchangeOptions<string>;
  readonly reconnect?: ReconnectOptions;
}

/** Lines over a reconnecting socket. The peers are plain sockets. */
async function lineExchange(setting: Setting = {}) {
  const server = await rawServer();
  const { reconnecting, clock } = reconnectingTo(server.port, setting.reconnect);
  const lines = framed(reconnecting, linesCodec({ trailing: 'drop' }));
  const rpc = exchange(lines, { scheduler: clock, ...setting.exchange });
  /** Waits until the connection is lost, and dials again. */
  const again = async () => {
    await expect.poll(() => reconnecting.readyState).toBe('waiting');
    clock.tick(1_000);
    return receiving(await server.next());
  };
  return { server, reconnecting, clock, lines, rpc, again };
}

/** What a plain peer has received so far. */
function receiving(peer: net.Socket) {
  const result = { peer, text: '' };
  peer.resume().on('data', (bytes) => {
    result.text += bytes;
  });
  return result;
}

test('requests wait for the first connection, and for the next one, in their order', async () => {
  const { server, rpc, again } = await lineExchange();
  const replies = ['a', 'b'].map((request) => record(rpc.request(request)));
  expect(rpc.pending).toBe(2);
  const first = receiving(await server.next());
  await expect.poll(() => first.text).toBe('a\nb\n');
  first.peer.write('1\n2\n');
  await expect
    .poll(() => replies.map(({ log }) => log))
    .toEqual([
      ['1', 'complete'],
      ['2', 'complete'],
    ]);
  first.peer.resetAndDestroy();
  const second = await again();
  const [c] = ['c', 'd'].map((request) => record(rpc.request(request)));
  await expect.poll(() => second.text).toBe('c\nd\n');
  second.peer.write('3\n');
  await expect.poll(() => c?.log).toEqual(['3', 'complete']);
  expect(rpc.pending).toBe(1);
});

test.each([
  ['is reset', (peer: net.Socket) => peer.resetAndDestroy(), 'ECONNRESET'],
  ['ends', (peer: net.Socket) => peer.end(), 'ERR_STREAM_PREMATURE_CLOSE'],
])('a request fails when its connection %s, and is never sent again; the next one is', async (_how, end, code) => {
  const { server, rpc, again } = await lineExchange();
  const lost = record(rpc.request('lost'));
  const first = receiving(await server.next());
  await expect.poll(() => first.text).toBe('lost\n');
  first.peer.write('half of a rep');
  end(first.peer);
  await expect.poll(() => lost.log).toEqual([`error:${code}`]);
  const next = record(rpc.request('next'));
  const second = await again();
  await expect.poll(() => second.text).toBe('next\n');
  second.peer.write('reply\n');
  await expect.poll(() => next.log).toEqual(['reply', 'complete']);
});

test('retry(1) waits for the next connection, whatever has ended the last one', async () => {
  for (const end of ['end', 'resetAndDestroy', 'bad'] as const) {
    const { server, rpc, again } = await lineExchange({
      exchange: {
        isPush: (line) => {
          if (line === 'bad') throw new Error('bad');
          return false;
        },
      },
    });
    const reply = record(rpc.request('a').pipe(retry(1)));
    const first = receiving(await server.next());
    await expect.poll(() => first.text).toBe('a\n');
    if (end === 'bad') first.peer.write('bad\n');
    else first.peer[end]();
    const second = await again();
    await expect.poll(() => second.text).toBe('a\n');
    second.peer.write('1\n');
    await expect.poll(() => reply.log).toEqual(['1', 'complete']);
  }
});

test('a message that cannot be decoded aborts its connection, and the next one works', async () => {
  const server = await rawServer();
  const { reconnecting, clock } = reconnectingTo(server.port);
  const rpc = exchange(framed(reconnecting, jsonLinesCodec<number>()), { scheduler: clock });
  const bad = record(rpc.request(1));
  const first = await server.next();
  first.resume().write('{\n');
  await expect.poll(() => bad.log).toEqual(['error:ERR_FRAME_MALFORMED']);
  await expect.poll(() => reconnecting.readyState).toBe('waiting');
  const good = record(rpc.request(2));
  clock.tick(1_000);
  (await server.next()).write('3\n');
  await expect.poll(() => good.log).toEqual([3, 'complete'].map(String));
});

test('comes after setup, and what a handler of connect requests is sent first', async () => {
  const setup = async (socket: ReturnType<typeof connect>) => {
    using lines = reader(socket);
    socket.next('login\n');
    await lines.readLine();
  };
  const { server, reconnecting, rpc, again } = await lineExchange({ reconnect: { setup } });
  const replies: string[] = [];
  const ask = (request: string) => {
    const next = (reply: string) => replies.push(`${request}: ${reply}`);
    rpc.request(request).subscribe({ next, error: () => {} });
  };
  reconnecting.subscribe({ next: ({ type }) => type === 'connect' && void ask('first'), error: () => {} });
  ask('a');
  for (const [i, sent] of ['login\nfirst\na\n', 'login\nfirst\nb\n'].entries()) {
    const peer = i === 0 ? receiving(await server.next()) : await again();
    await expect.poll(() => peer.text).toBe('login\n');
    peer.peer.write('welcome\n');
    await expect.poll(() => peer.text).toBe(sent);
    peer.peer.write('1\n2\n');
    await expect.poll(() => replies.length).toBe(2 * (i + 1));
    peer.peer.end();
    await expect.poll(() => reconnecting.readyState).toBe('waiting');
    ask('b');
  }
  expect(replies).toEqual(['first: 1', 'a: 2', 'first: 1', 'b: 2']);
});

test('pushes of all connections are unsolicited, and hold the connection', async () => {
  const { server, reconnecting, rpc, again } = await lineExchange({
    exchange: { isPush: (line) => line.startsWith('>') },
  });
  const gates: Subject<string>[] = [];
  const slow = record(
    rpc.unsolicited.pipe(
      mapWithBackpressure(
        (push) => {
          const gate = new Subject<string>();
          gates.push(gate);
          setImmediate(() => push === '>1' || gate.next(push));
          return gate;
        },
        { highWaterMark: 1 },
      ),
    ),
  );
  const first = await server.next();
  first.write('>1\n>2\n>3\n');
  await expect.poll(() => reconnecting.holds.length + (reconnecting.socket?.holds.length ?? 0)).toBeGreaterThan(0);
  expect(slow.log).toEqual([]);
  gates[0]?.next('>1');
  gates[0]?.complete();
  await expect.poll(() => slow.log).toEqual(['>1', '>2']);
  first.resetAndDestroy();
  (await again()).peer.write('>4\n');
  gates[1]?.complete();
  await expect.poll(() => slow.log).toEqual(['>1', '>2', '>3']);
  gates[2]?.complete();
  await expect.poll(() => slow.log).toEqual(['>1', '>2', '>3', '>4']);
});

test('a request that is left while it waits is not sent, and maxPending limits how many wait', async () => {
  const { server, clock, rpc } = await lineExchange({ exchange: { maxPending: 3 } });
  const [left, alsoLeft, long] = ['left', 'also left', 'long'].map((request) => record(rpc.request(request)));
  const tooMany = record(rpc.request('too many'));
  left?.subscription.unsubscribe();
  const kept = record(rpc.request('kept'));
  expect(rpc.pending).toBe(3);
  expect(tooMany.log).toEqual([]);
  clock.tick(0);
  expect(tooMany.log).toEqual(['error:ERR_BACKPRESSURE_OVERFLOW']);
  alsoLeft?.subscription.unsubscribe();
  const peer = receiving(await server.next());
  await expect.poll(() => peer.text).toBe('long\nkept\n');
  expect([long?.log, kept.log]).toEqual([[], []]);
});

test('a request that waits for a connection too long fails, and was not sent', async () => {
  const { clock, reconnecting, rpc, server } = await lineExchange({ exchange: { timeout: 50 } });
  server.close();
  const late = record(rpc.request('late'));
  await expect.poll(() => reconnecting.readyState).toBe('waiting');
  clock.tick(50);
  const { error } = await late.ended;
  expect(error).toMatchObject({ code: 'ETIMEDOUT', timeout: 'timeout', milliseconds: 50, phase: 'write' });
  expect(rpc.pending).toBe(0);
});

test('a request that has waited has the whole timeout for its reply', async () => {
  const { server, clock, rpc } = await lineExchange({ exchange: { timeout: 50 } });
  const late = record(rpc.request('late'));
  clock.tick(40);
  const { peer, text } = receiving(await server.next());
  expect(text).toBe('');
  await once(peer, 'data');
  clock.tick(49);
  expect(late.log).toEqual([]);
  clock.tick(1);
  clock.tick(0);
  expect(await late.ended).toMatchObject({ error: { code: 'ETIMEDOUT', phase: 'read' } });
});

test.each([
  ['comes after the pushes of its connection that a slow consumer has not taken', 'attempts are over'],
  ['overtakes them if this side has decided it', 'abort'],
])('the end %s', async (_title, how) => {
  const { server, reconnecting, rpc } = await lineExchange({
    exchange: { isPush: () => true },
    reconnect: { maxRetries: how === 'abort' ? 1 : 0 },
  });
  const gate = new ReplaySubject<void>();
  const slow = mapWithBackpressure(
    (push: string) =>
      gate.pipe(
        take(1),
        map(() => push),
      ),
    { highWaterMark: 1 },
  );
  const pushes = record(rpc.unsolicited.pipe(slow));
  const peer = await server.next();
  peer.write('1\n2\n3\n4\n');
  await expect.poll(() => reconnecting.socket?.holds.length).toBeGreaterThan(0);
  peer.resetAndDestroy();
  await expect.poll(() => reconnecting.readyState).toBe(how === 'abort' ? 'waiting' : 'closed');
  if (how === 'abort') reconnecting.error();
  await turns();
  expect(pushes.log).toEqual(how === 'abort' ? ['error:ERR_SOCKET_ABORTED'] : []);
  gate.next();
  await pushes.ended;
  const all = ['1', '2', '3', '4', 'error:ERR_RECONNECT_EXHAUSTED'];
  expect(pushes.log).toEqual(how === 'abort' ? ['error:ERR_SOCKET_ABORTED'] : all);
});

test('everything ends with the reconnecting socket', async () => {
  for (const how of ['error', 'close'] as const) {
    const { server, reconnecting, clock, rpc } = await lineExchange();
    const pushes = record(rpc.unsolicited);
    const asked = record(rpc.request('asked'));
    const peer = receiving(await server.next());
    await expect.poll(() => peer.text).toBe('asked\n');
    if (how === 'error') reconnecting.error(new Error('enough'));
    else void reconnecting.close();
    peer.peer.on('end', () => peer.peer.end());
    const code = how === 'error' ? 'ERR_SOCKET_ABORTED' : 'ERR_STREAM_PREMATURE_CLOSE';
    await expect.poll(() => asked.log).toEqual([`error:${code}`]);
    await expect.poll(() => pushes.log).toEqual([how === 'error' ? `error:${code}` : 'complete']);
    const later = record(rpc.request('later'));
    await turns();
    clock.tick(0);
    expect(later.log).toEqual([`error:${code}`]);
  }
});

test('requests that wait fail when the attempts are over', async () => {
  const { server, rpc } = await lineExchange({ reconnect: { maxRetries: 0 } });
  const pushes = record(rpc.unsolicited);
  const waits = record(rpc.request('a'));
  server.close();
  await expect.poll(() => waits.log).toEqual(['error:ERR_RECONNECT_EXHAUSTED']);
  expect(pushes.log).toEqual(['error:ERR_RECONNECT_EXHAUSTED']);
});

test('each reply comes in the context of its request', async () => {
  const { server, rpc } = await lineExchange();
  const users: (string | undefined)[] = [];
  for (const user of ['ann', 'bob']) as(user, () => rpc.request(user).subscribe(() => users.push(currentUser())));
  const { peer } = receiving(await server.next());
  peer.write('1\n2\n');
  await expect.poll(() => users).toEqual(['ann', 'bob']);
});
