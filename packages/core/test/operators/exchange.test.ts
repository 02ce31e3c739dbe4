// exchange(): each request gets its own reply, whatever happens to the others.
import type net from 'node:net';
import {
  type ConnectOptions,
  connect,
  type ExchangeOptions,
  exchange,
  type Flowable,
  framed,
  jsonLinesCodec,
  linesCodec,
  mapWithBackpressure,
} from '@rxsock/core';
import { socketPair, VirtualClock } from '@rxsock/core/testing';
import {
  catchError,
  defer,
  firstValueFrom,
  from,
  lastValueFrom,
  mergeMap,
  retry,
  Subject,
  take,
  timer,
  toArray,
} from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { as, currentUser } from '../../../../tests/support/contexts.js';
import { pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';

/** Lines over a real connection. The peer is a plain socket. */
async function lineExchange(options: ExchangeOptions<string> = {}, socketOptions: Partial<ConnectOptions> = {}) {
  const { socket, peer } = await pair(socketOptions);
  const lines = framed(socket, linesCodec());
  return { socket, peer, lines, rpc: exchange(lines, options) };
}

/** What the peer has received, as soon as it ends with `text`. */
async function received(peer: net.Socket, text: string): Promise<string> {
  let all = '';
  peer.resume().on('data', (bytes) => {
    all += bytes;
  });
  await expect.poll(() => all).toMatch(new RegExp(`${text}$`));
  return all;
}

describe('in order', () => {
  test('replies go to the requests as they were sent', async () => {
    const { rpc, peer } = await lineExchange();
    const replies = ['a', 'b', 'c'].map((request) => record(rpc.request(request)));
    expect(await received(peer, 'c\n')).toBe('a\nb\nc\n');
    expect(rpc.pending).toBe(3);
    peer.write('1\n2\n3\n');
    await expect
      .poll(() => replies.map(({ log }) => log))
      .toEqual([
        ['1', 'complete'],
        ['2', 'complete'],
        ['3', 'complete'],
      ]);
    expect(rpc.pending).toBe(0);
  });

  test('sends nothing before it is subscribed, and again at each subscription', async () => {
    const { rpc, peer, socket } = await lineExchange();
    const request = rpc.request('a');
    await turns();
    expect(socket.bytesWritten).toBe(0);
    const replies = [record(request), record(request)];
    expect(await received(peer, 'a\na\n')).toBe('a\na\n');
    peer.write('1\n2\n');
    await expect.poll(() => replies.map(({ values }) => values)).toEqual([['1'], ['2']]);
  });

  test('a request that is left gives its reply up, and the others keep theirs', async () => {
    const { rpc, peer } = await lineExchange();
    const [first, second] = [record(rpc.request('a')), record(rpc.request('b'))];
    first.subscription.unsubscribe();
    peer.write('1\n2\n');
    await expect.poll(() => second.log).toEqual(['2', 'complete']);
    expect(first.log).toEqual([]);
  });

  test('a reply of several messages completes with the last one', async () => {
    const { rpc, peer } = await lineExchange({ isLast: (line) => line === '.' });
    const [first, second] = [record(rpc.request('a')), record(rpc.request('b'))];
    peer.write('1\n2\n.\n3\n.\n');
    await expect.poll(() => second.log).toEqual(['3', '.', 'complete']);
    expect(first.log).toEqual(['1', '2', '.', 'complete']);
  });

  test('a reply of several messages that is left in the middle is dropped up to its last one', async () => {
    const { rpc, peer } = await lineExchange({ isLast: (line) => line === '.' });
    const [first, second] = [record(rpc.request('a').pipe(take(1))), record(rpc.request('b'))];
    peer.write('1\n2\n.\n3\n.\n');
    await expect.poll(() => second.log).toEqual(['3', '.', 'complete']);
    expect(first.log).toEqual(['1', 'complete']);
  });

  test('pushes are unsolicited, in the middle of replies too', async () => {
    const { rpc, peer } = await lineExchange({ isPush: (line) => line.startsWith('>') });
    const pushes = record(rpc.unsolicited);
    const reply = record(rpc.request('a'));
    peer.write('>x\n1\n>y\n');
    await expect.poll(() => pushes.values).toEqual(['>x', '>y']);
    expect(reply.log).toEqual(['1', 'complete']);
  });

  test('a message without a request is unsolicited', async () => {
    const { rpc, peer } = await lineExchange();
    const rest = record(rpc.unsolicited);
    peer.end('hello\n');
    await rest.ended;
    expect(rest.log).toEqual(['hello', 'complete']);
  });
});

describe('by key', () => {
  const codec = jsonLinesCodec<{ id?: number; text: string }>();
  const byId = { key: ({ id }: { id?: number }) => id };

  test('replies find their requests in any order', async () => {
    const { socket, peer } = await pair();
    const rpc = exchange(framed(socket, codec), byId);
    const [first, second] = [1, 2].map((id) => record(rpc.request({ id, text: 'q' })));
    const rest = record(rpc.unsolicited);
    peer.write('{"id":2,"text":"b"}\n{"text":"news"}\n{"id":3,"text":"?"}\n{"id":1,"text":"a"}\n');
    await expect.poll(() => first?.values).toEqual([{ id: 1, text: 'a' }]);
    expect(second?.values).toEqual([{ id: 2, text: 'b' }]);
    expect(rest.values).toEqual([{ text: 'news' }, { id: 3, text: '?' }]);
  });

  test.each([
    [{ id: 1, text: 'again' }, 'The reply to a request with the key 1 is still to come: use another key, or wait'],
    [{ text: 'no key' }, 'key returned undefined for a request: return what its reply will have'],
  ])('%j is refused while 1 waits, and nothing is sent', async (request, message) => {
    const { socket } = await pair();
    const rpc = exchange(framed(socket, codec), byId);
    record(rpc.request({ id: 1, text: 'q' }));
    const sent = socket.bytesWritten + socket.writableLength;
    const refused = record(rpc.request(request));
    expect((await refused.ended).error).toMatchObject({ code: 'ERR_EXCHANGE_KEY', message });
    expect([rpc.pending, socket.bytesWritten + socket.writableLength]).toEqual([1, sent]);
  });

  test('a key can be used again after the reply', async () => {
    const { socket, peer } = await pair();
    const rpc = exchange(framed(socket, codec), byId);
    for (const text of ['a', 'b']) {
      const reply = firstValueFrom(rpc.request({ id: 1, text: 'q' }));
      peer.write(`{"id":1,"text":"${text}"}\n`);
      expect(await reply).toEqual({ id: 1, text });
    }
  });
});

describe('limits', () => {
  test('a reply that is late fails its request alone, and is dropped when it comes', async () => {
    const scheduler = new VirtualClock();
    const { rpc, peer } = await lineExchange({ timeout: 1000, scheduler });
    const first = record(rpc.request('a'));
    scheduler.tick(600);
    const second = record(rpc.request('b'));
    scheduler.tick(400);
    expect((await first.ended).error).toMatchObject({
      code: 'ETIMEDOUT',
      phase: 'read',
      timeout: 'timeout',
      milliseconds: 1000,
      message: 'The reply did not come within 1000 ms, the timeout of exchange()',
    });
    scheduler.tick(599);
    peer.write('1\n2\n');
    await expect.poll(() => second.log).toEqual(['2', 'complete']);
    expect(scheduler.actions).toEqual([]);
  });

  test('the time of a held connection does not count', async () => {
    const scheduler = new VirtualClock();
    const { rpc, socket, lines, peer } = await lineExchange({ timeout: 1000, scheduler });
    const reply = record(rpc.request('a'));
    const release = lines.hold('busy');
    scheduler.tick(5000);
    expect(reply.log).toEqual([]);
    release();
    expect(socket.holds).toEqual([]);
    scheduler.tick(999);
    peer.write('1\n');
    await expect.poll(() => reply.log).toEqual(['1', 'complete']);
  });

  test.each([0, Number.POSITIVE_INFINITY])('a timeout of %j waits for ever', async (timeout) => {
    const scheduler = new VirtualClock();
    const { rpc } = await lineExchange({ timeout, scheduler });
    const reply = record(rpc.request('a'));
    expect(scheduler.actions).toEqual([]);
    expect(reply.log).toEqual([]);
  });

  test('the time stands still while a consumer holds, and while anybody else holds the socket', async () => {
    const scheduler = new VirtualClock();
    const { rpc, lines, socket } = await lineExchange({ timeout: 1000, scheduler });
    const gate = new Subject<void>();
    const reply = record(rpc.request('a').pipe(mapWithBackpressure(() => gate)));
    const release = rpc.unsolicited.hold('busy');
    scheduler.tick(990);
    release();
    scheduler.tick(999);
    expect([reply.log, lines.holds]).toEqual([[], []]);
    const releaseSocket = socket.hold('busy');
    scheduler.tick(5000);
    expect(reply.log).toEqual([]);
    releaseSocket();
    expect(reply.log).toEqual([]);
    scheduler.tick(1);
    expect(reply.log).toEqual(['error:ETIMEDOUT']);
  });

  test('many short holds of a consumer do not give a request more time', async () => {
    const scheduler = new VirtualClock();
    const { rpc } = await lineExchange({ timeout: 1000, scheduler });
    const reply = record(rpc.request('a'));
    for (let holds = 0; holds < 99; holds++) {
      scheduler.tick(10);
      const release = rpc.unsolicited.hold('busy');
      scheduler.tick(500);
      release();
    }
    scheduler.tick(9);
    expect(reply.log).toEqual([]);
    scheduler.tick(1);
    expect(reply.log).toEqual(['error:ETIMEDOUT']);
  });

  test('a request waits for no more than its time beside a consumer of pushes that is always slow', () => {
    const scheduler = new VirtualClock();
    const [socket, peer] = socketPair({ scheduler });
    const rpc = exchange(framed(socket, linesCodec()), { timeout: 5000, isPush: (line) => line.startsWith('>') });
    const work = () => timer(50, scheduler);
    record(rpc.unsolicited.pipe(mapWithBackpressure(work, { concurrency: 1, highWaterMark: 1 })));
    const reply = record(rpc.request('a'));
    record(peer);
    let held = 0;
    for (let at = 0; reply.log.length === 0 && at < 60_000; at += 10) {
      if (at % 500 === 0) peer.next('>a\n>b\n>c\n>d\n');
      const wasHeld = socket.holds.length > 0;
      scheduler.tick(10);
      if (wasHeld || socket.holds.length > 0) held += 10;
    }
    expect(reply.log).toEqual(['error:ETIMEDOUT']);
    expect(held).toBeGreaterThan(1000);
    expect(scheduler.now() - held).toBe(5000);
  });

  test('two consumers that hold at once stop the time once, and a second call of a release changes nothing', async () => {
    const scheduler = new VirtualClock();
    const { rpc } = await lineExchange({ timeout: 1000, scheduler });
    const request = rpc.request('a') as Flowable<string>;
    const reply = record(request);
    scheduler.tick(400);
    const releaseFirst = rpc.unsolicited.hold('first');
    scheduler.tick(300);
    const releaseSecond = request.hold('second');
    scheduler.tick(300);
    releaseFirst();
    releaseFirst();
    scheduler.tick(5100);
    expect(reply.log).toEqual([]);
    releaseSecond();
    scheduler.tick(300);
    releaseFirst();
    releaseSecond();
    scheduler.tick(299);
    expect(reply.log).toEqual([]);
    scheduler.tick(1);
    expect(reply.log).toEqual(['error:ETIMEDOUT']);
  });

  test('after a hold that began behind the first look, a reply may still arrive in the turn of the next one', async () => {
    const scheduler = new VirtualClock();
    const { rpc, socket } = await lineExchange({ timeout: 1000, scheduler });
    const reply = record(rpc.request('a'));
    let release = () => {};
    // Behind the first look, which comes after the same time, and before the second one.
    scheduler.schedule(() => {
      release = rpc.unsolicited.hold('slow');
    }, 1000);
    scheduler.tick(1000);
    scheduler.tick(5000);
    release();
    scheduler.schedule(() => socket.unshift(Buffer.from('late\n')));
    scheduler.tick();
    expect(reply.log).toEqual(['late', 'complete']);
  });

  test('a request that is sent by a slow handler of a late one makes no timer with a negative delay', async () => {
    const scheduler = new VirtualClock();
    const schedule = vi.spyOn(scheduler, 'schedule');
    const { rpc } = await lineExchange({ timeout: 1000, scheduler });
    const again = record(
      rpc.request('a').pipe(
        catchError(() => {
          scheduler.frame += 50;
          return rpc.request('c');
        }),
      ),
    );
    const second = record(rpc.request('b'));
    scheduler.tick(1000);
    expect(second.log).toEqual(['error:ETIMEDOUT']);
    scheduler.tick(1050);
    expect(again.log).toEqual(['error:ETIMEDOUT']);
    for (const [, delay = 0] of schedule.mock.calls) expect(delay).toBeGreaterThanOrEqual(0);
  });

  test('a consumer that leaves while it holds lets the time go on', async () => {
    const scheduler = new VirtualClock();
    const { rpc, peer, socket } = await lineExchange({ timeout: 1000, scheduler, isPush: (line) => line === '>' });
    const slow = record(rpc.unsolicited.pipe(mapWithBackpressure(() => new Subject(), { highWaterMark: 1 })));
    const reply = record(rpc.request('a'));
    scheduler.tick(400);
    peer.write('>\n>\n>\n');
    await expect.poll(() => socket.holds).toEqual(['framed ← mapWithBackpressure']);
    scheduler.tick(5000);
    slow.subscription.unsubscribe();
    expect(socket.holds).toEqual([]);
    scheduler.tick(599);
    expect(reply.log).toEqual([]);
    scheduler.tick(1);
    expect(reply.log).toEqual(['error:ETIMEDOUT']);
  });

  test('each request has its own time, whether it was sent before, during or after a hold', async () => {
    const scheduler = new VirtualClock();
    const { rpc } = await lineExchange({ timeout: 1000, scheduler });
    const before = record(rpc.request('before'));
    scheduler.tick(300);
    const release = rpc.unsolicited.hold('busy');
    scheduler.tick(700);
    const during = record(rpc.request('during'));
    scheduler.tick(700);
    release();
    scheduler.tick(200);
    const after = record(rpc.request('after'));
    const logs = () => [before, during, after].map(({ log }) => log);
    const late = ['error:ETIMEDOUT'];
    scheduler.tick(499);
    expect(logs()).toEqual([[], [], []]);
    scheduler.tick(1);
    expect(logs()).toEqual([late, [], []]);
    scheduler.tick(299);
    expect(logs()).toEqual([late, [], []]);
    scheduler.tick(1);
    expect(logs()).toEqual([late, late, []]);
    scheduler.tick(199);
    expect(logs()).toEqual([late, late, []]);
    scheduler.tick(1);
    expect(logs()).toEqual([late, late, late]);
    expect(scheduler.actions).toEqual([]);
  });

  test.each([
    ['before the request', 0, 300],
    ['well before the time is over', 500, 900],
    ['at the moment when the time is over', 990, 20],
    ['over the whole time', 100, 1900],
  ])('the time that others hold the socket does not count, and no more than that: %s', async (_, at, held) => {
    const scheduler = new VirtualClock();
    const { rpc, socket } = await lineExchange({ timeout: 1000, scheduler });
    const early = at === 0 ? socket.hold('busy') : undefined;
    const reply = record(rpc.request('a'));
    scheduler.tick(at);
    const release = early ?? socket.hold('busy');
    const another = socket.hold('busy too');
    scheduler.tick(held);
    release();
    another();
    scheduler.tick(999 - at);
    expect(reply.log).toEqual([]);
    scheduler.tick(1);
    expect(reply.log).toEqual(['error:ETIMEDOUT']);
    expect(scheduler.actions).toEqual([]);
  });

  test('somebody who holds the socket now and then does not keep a request from being late', async () => {
    const scheduler = new VirtualClock();
    const { rpc, socket } = await lineExchange({ timeout: 1000, scheduler });
    const reply = record(rpc.request('a'));
    // Each hold spans a moment at which the time would have been over.
    for (let holds = 0; holds < 2; holds++) {
      scheduler.tick(500 - 5);
      const release = socket.hold('busy');
      scheduler.tick(505);
      release();
    }
    scheduler.tick(9);
    expect(reply.log).toEqual([]);
    scheduler.tick(1);
    expect(reply.log).toEqual(['error:ETIMEDOUT']);
  });

  test('a peer that sends pushes without a pause does not keep a request from being late', async () => {
    const isPush = (line: string) => {
      const end = performance.now() + 0.02;
      while (performance.now() < end);
      return line.startsWith('>');
    };
    const { rpc, peer, socket } = await lineExchange({ timeout: 300, isPush });
    const { log } = record(rpc.request('a'));
    const pushes = Buffer.from(`>${'x'.repeat(29)}\n`.repeat(2000));
    const flood = () => {
      while (!peer.destroyed && peer.write(pushes));
    };
    peer.on('drain', flood);
    flood();
    await expect.poll(() => log, { timeout: 4000 }).toEqual(['error:ETIMEDOUT']);
    socket.error();
  });

  test('a request that is sent when another one is late leaves no second timer', async () => {
    const scheduler = new VirtualClock();
    const { rpc, lines } = await lineExchange({ timeout: 1000, scheduler });
    rpc.request('a').subscribe({ error: () => record(rpc.request('c')) });
    scheduler.tick(500);
    record(rpc.request('b'));
    scheduler.tick(500);
    expect(scheduler.actions).toHaveLength(1);
    lines.error();
    await expect.poll(() => rpc.pending).toBe(0);
    scheduler.tick(10_000);
    expect(scheduler.actions).toEqual([]);
  });

  test('a timeout that no timer can wait for at once is waited for in parts', async () => {
    const scheduler = new VirtualClock();
    const { rpc } = await lineExchange({ timeout: 3e9, scheduler });
    const reply = record(rpc.request('a'));
    scheduler.tick(2 ** 31 - 1);
    expect([reply.log, scheduler.actions.length]).toEqual([[], 1]);
    scheduler.tick(3e9 - (2 ** 31 - 1));
    expect(reply.log).toEqual(['error:ETIMEDOUT']);
  });

  test('with keys, a request that was given up makes room for a new one', async () => {
    const { socket } = await pair();
    const codec = jsonLinesCodec<{ id: number }>();
    const rpc = exchange(framed(socket, codec), { key: ({ id }) => id, maxPending: 2 });
    for (const id of [1, 2]) record(rpc.request({ id })).subscription.unsubscribe();
    const again = record(rpc.request({ id: 2 }));
    expect((await again.ended).error).toMatchObject({ code: 'ERR_EXCHANGE_KEY' });
    expect([record(rpc.request({ id: 3 })).log, rpc.pending]).toEqual([[], 2]);
    expect(record(rpc.request({ id: 1 })).log).toEqual([]);
    expect((await record(rpc.request({ id: 4 })).ended).error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW' });
  });

  test('a refused request fails in a later turn, so that retry() does not loop in this one', async () => {
    const { rpc } = await lineExchange({ maxPending: 1 });
    record(rpc.request('a'));
    let tries = 0;
    const refused = record(defer(() => rpc.request(`${tries++}`)).pipe(retry(100)));
    expect(tries).toBe(1);
    expect((await refused.ended).error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW' });
    expect(tries).toBe(101);
  });

  test('by default a reply may take thirty seconds, on the clock of the socket', async () => {
    const scheduler = new VirtualClock();
    const { rpc } = await lineExchange({}, { scheduler });
    const reply = record(rpc.request('a'));
    scheduler.tick(29_999);
    expect(reply.log).toEqual([]);
    scheduler.tick(1);
    expect(reply.log).toEqual(['error:ETIMEDOUT']);
  });

  test('a request over maxPending fails at once, and the next one after a reply does not', async () => {
    const { rpc, peer } = await lineExchange({ maxPending: 2 });
    const [first] = [record(rpc.request('a')), record(rpc.request('b'))];
    const refused = record(rpc.request('c'));
    expect((await refused.ended).error).toMatchObject({ code: 'ERR_BACKPRESSURE_OVERFLOW', limit: 2 });
    peer.write('1\n');
    await expect.poll(() => first?.log).toEqual(['1', 'complete']);
    expect(record(rpc.request('d')).log).toEqual([]);
  });

  test('a consumer that is slow with its reply holds the connection', async () => {
    const { rpc, socket, peer } = await lineExchange({ isLast: () => false });
    const gate = new Subject<void>();
    record(rpc.request('a').pipe(mapWithBackpressure(() => gate, { highWaterMark: 1 })));
    for (let i = 0; i < 20; i++) peer.write(Buffer.alloc(1_000_000, 'x\n'));
    await expect.poll(() => socket.holds).toEqual(['framed ← mapWithBackpressure']);
    await turns();
    expect(socket.bytesRead).toBeLessThan(4 * 65_536);
  });
});

describe('the end', () => {
  test('an abort fails all requests, present and future', async () => {
    const { rpc, lines } = await lineExchange();
    const waiting = ['a', 'b'].map((request) => record(rpc.request(request)));
    const pushes = record(rpc.unsolicited);
    lines.error(new Error('enough'));
    for (const { ended } of [...waiting, pushes])
      expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    expect((await record(rpc.request('c')).ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
    expect(rpc.pending).toBe(0);
  });

  test("requests that wait at the peer's FIN fail after the replies before it", async () => {
    const { rpc, peer } = await lineExchange({}, { allowHalfOpen: true });
    const [first, second] = [record(rpc.request('a')), record(rpc.request('b'))];
    peer.end('1\n');
    expect((await second.ended).error).toMatchObject({
      code: 'ERR_STREAM_PREMATURE_CLOSE',
      phase: 'read',
      message: 'The peer ended its side before the reply was complete',
    });
    expect(first.log).toEqual(['1', 'complete']);
    expect((await record(rpc.request('c')).ended).error).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  });

  test('after complete(), replies still come and new requests are refused', async () => {
    const { rpc, lines, peer } = await lineExchange();
    const first = record(rpc.request('a'));
    lines.complete();
    expect((await record(rpc.request('b')).ended).error).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    peer.end('1\n');
    await first.ended;
    expect(first.log).toEqual(['1', 'complete']);
  });

  test('a dial that fails fails the requests', async () => {
    const socket = connect({ host: '127.0.0.1', port: 1 });
    const rpc = exchange(framed(socket, linesCodec()));
    expect((await record(rpc.request('a')).ended).error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test.each(['key', 'isPush', 'isLast'] as const)(
    'what %s throws for a message aborts the connection',
    async (name) => {
      const mistake = new TypeError('of the user');
      let calls = 0;
      const fail = (message: string) => {
        calls++;
        if (message === '1') throw mistake;
        return message as never;
      };
      const { rpc, peer } = await lineExchange({ [name]: fail });
      const reply = record(rpc.request('a'));
      peer.write('1\n');
      expect((await reply.ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED', cause: mistake });
      expect(calls).toBeGreaterThan(0);
    },
  );
});

test('a value that cannot be encoded fails its request, and the next one gets the next reply', async () => {
  const { rpc, peer } = await lineExchange();
  const bad = record(rpc.request('two\nlines'));
  const good = record(rpc.request('one'));
  expect((await bad.ended).error).toMatchObject({ code: 'ERR_FRAME_MALFORMED' });
  expect(await received(peer, 'one\n')).toBe('one\n');
  peer.write('1\n');
  await expect.poll(() => good.log).toEqual(['1', 'complete']);
});

test('replies come in the context of those who asked', async () => {
  const { rpc, peer } = await as('dialler', () => lineExchange());
  const users: string[] = [];
  const ask = (user: string) => as(user, () => rpc.request(user).subscribe(() => users.push(currentUser())));
  ask('ann');
  ask('bob');
  peer.write('1\n2\n');
  await expect.poll(() => users).toEqual(['ann', 'bob']);
});

test('ten thousand pipelined requests are answered in order, with a bounded number at once', async () => {
  const { rpc, peer } = await lineExchange();
  peer.pipe(peer);
  let most = 0;
  const numbers = Array.from({ length: 10_000 }, (_, i) => `${i}`);
  const replies = from(numbers).pipe(
    mergeMap((number) => {
      most = Math.max(most, rpc.pending + 1);
      return rpc.request(number);
    }, 100),
    toArray(),
  );
  expect(await lastValueFrom(replies)).toEqual(numbers);
  expect(most).toBe(100);
});

test.each([
  [[{}], 'exchange() takes framed(socket, codec)'],
  [[undefined, { key: 'id' }], 'key must be a function'],
  [[undefined, { timeout: Number.NaN }], 'timeout must be'],
  [[undefined, { maxPending: 0 }], 'maxPending must be'],
])('refuses %o', async ([subject, options], message) => {
  const lines = framed(connect({ port: 1 }), linesCodec());
  expect(() => exchange((subject ?? lines) as never, options as never)).toThrow(message);
});
