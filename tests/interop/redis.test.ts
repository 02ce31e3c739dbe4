// Redis over TCP: a custom protocol, in both directions on one socket.
import { randomBytes } from 'node:crypto';
import { connect, decode, encode, exchange, flowFrom, framed, through } from '@rxsock/core';
import * as unix from '@rxsock/unix';
import { filter, firstValueFrom, lastValueFrom, mergeMap, range, take, tap, toArray } from 'rxjs';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { command, type Resp, RespError, RespPush, respCodec } from '../../examples/clients/codecs/resp.js';
import type { Listening } from '../support/listening-programs.js';
import { beforeAllWithPrograms } from '../support/need-program.js';
import { startRedis } from '../support/redis.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let redis: Listening;
beforeAllWithPrograms(async () => {
  folder = await temporaryFolder();
  redis = await startRedis(folder.path, '--unixsocket', `${folder.path}/redis`);
});
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const dial = () => connect({ host: '127.0.0.1', port: redis.port });

/** A client that is closed when the test is over. */
function client() {
  const session = framed(dial(), respCodec);
  onTestFinished(() => void session.error());
  return session;
}

test('answers PING, and QUIT with FIN behind the answer', async () => {
  const session = client();
  const answers = lastValueFrom(session.pipe(toArray()));

  session.next(command('PING'));
  session.next(command('QUIT'));

  expect(await answers).toEqual(['PONG', 'OK']);
});

test('returns what was set, whatever the bytes', async () => {
  const session = client();
  const bytes = randomBytes(1_000_003);
  const answers = firstValueFrom(session.pipe(take(4), toArray()));

  session.next(command('SET', 'bytes', bytes));
  session.next(command('GET', 'bytes'));
  session.next(command('STRLEN', 'bytes'));
  session.next(command('GET', 'nothing'));

  const [set, got, length, nothing] = await answers;
  expect(set).toBe('OK');
  expect(bytes.equals(got as Buffer)).toBe(true);
  expect([length, nothing]).toEqual([bytes.length, null]);
});

test('answers a thousand commands that are sent at once, in their order', async () => {
  const words = Array.from({ length: 1_000 }, (_, i) => command('ECHO', `${i}`));
  const answers = flowFrom([...words, command('QUIT')]).pipe(
    encode(respCodec),
    through(dial),
    decode(respCodec),
    toArray(),
  );

  const expected = Array.from({ length: 1_000 }, (_, i) => Buffer.from(`${i}`));
  expect(await lastValueFrom(answers)).toEqual([...expected, 'OK']);
});

test('reports a wrong command as a value, and the session continues', async () => {
  const session = client();
  const answers = firstValueFrom(session.pipe(take(2), toArray()));

  session.next(command('NONSENSE'));
  session.next(command('PING'));

  const [wrong, pong] = await answers;
  expect(wrong).toBeInstanceOf(RespError);
  expect(wrong).toMatchObject({ message: expect.stringMatching(/^ERR unknown command/) });
  expect(pong).toBe('PONG');
});

test('pushes published messages between the answers of the same session', async () => {
  const subscriber = client();
  const publisher = client();
  const answers = subscriber.pipe(filter((value) => !(value instanceof RespPush)));
  const pushes = subscriber.pipe(filter((value) => value instanceof RespPush));
  const hello = firstValueFrom(answers);
  const messages = firstValueFrom(pushes.pipe(take(3), toArray()));
  subscriber.next(command('HELLO', '3'));
  expect([...((await hello) as Map<Resp, Resp>)]).toContainEqual([Buffer.from('proto'), 3]);

  subscriber.next(command('SUBSCRIBE', 'news'));
  await firstValueFrom(pushes);
  const counts = firstValueFrom(publisher.pipe(take(2), toArray()));
  publisher.next(command('PUBLISH', 'news', 'one'));
  publisher.next(command('PUBLISH', 'news', 'two'));
  expect(await counts).toEqual([1, 1]);
  const pong = firstValueFrom(answers);
  subscriber.next(command('PING'));

  expect(await pong).toBe('PONG');
  const [channel, subscribe, message] = ['news', 'subscribe', 'message'].map((text) => Buffer.from(text));
  expect(await messages).toEqual([
    new RespPush([subscribe!, channel!, 1]),
    new RespPush([message!, channel!, Buffer.from('one')]),
    new RespPush([message!, channel!, Buffer.from('two')]),
  ]);
});

test('answers over a UNIX socket', async () => {
  const words = ['one', 'two', 'three'].map((word) => command('ECHO', word));
  const answers = flowFrom([...words, command('QUIT')]).pipe(
    encode(respCodec),
    through(() => unix.connect({ path: `${folder.path}/redis` })),
    decode(respCodec),
    toArray(),
  );

  expect(await lastValueFrom(answers)).toEqual([...['one', 'two', 'three'].map((word) => Buffer.from(word)), 'OK']);
});

test('exchange() matches twenty thousand pipelined commands with their replies, while pushes come in between', async () => {
  const session = client();
  const rpc = exchange<Resp>(session, { isPush: (value) => value instanceof RespPush });
  const pushed: RespPush[] = [];
  rpc.unsolicited.subscribe({ next: (value) => pushed.push(value as RespPush), error: () => {} });
  await firstValueFrom(rpc.request(command('HELLO', '3')));
  // In RESP3, SUBSCRIBE gets a push and no reply.
  session.next(command('SUBSCRIBE', 'news'));
  await expect.poll(() => pushed.length).toBe(1);
  const publisher = exchange<Resp>(client());
  let asked = 0;
  let askedAtFirstReply = 0;
  const replies = range(0, 20_000).pipe(
    mergeMap((i) => {
      asked++;
      if (i % 1000 === 0) publisher.request(command('PUBLISH', 'news', `${i}`)).subscribe();
      return rpc.request(command('ECHO', `${i}`));
    }, 500),
    tap(() => {
      askedAtFirstReply ||= asked;
    }),
    toArray(),
  );

  const values = await lastValueFrom(replies);

  expect(values.map(String)).toEqual(Array.from({ length: 20_000 }, (_, i) => `${i}`));
  expect(askedAtFirstReply).toBeLessThanOrEqual(500);
  await expect.poll(() => pushed.length).toBe(21);
});
