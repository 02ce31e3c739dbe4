// A reconnecting socket notifies each subscriber in the AsyncLocalStorage context in which it subscribed, whichever
// connection the event is about.
import { connect, lines, reconnect } from '@rxsock/core';
import { map } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { as, currentUser, watchAs } from '../../../../tests/support/contexts.js';
import { rawServer } from '../../../../tests/support/raw-peers.js';

/** A reconnecting socket made by `maker`, and the users in whose contexts its factory was called. */
function reconnectingTo(port: number) {
  const factory: string[] = [];
  const make = () => {
    factory.push(currentUser());
    return connect({ host: '127.0.0.1', port });
  };
  const reconnecting = as('maker', () => reconnect(make, { backoff: { initial: 1 } }));
  onTestFinished(() => reconnecting.error());
  return { reconnecting, factory };
}

test('each subscriber is notified in its own context, of two connections and of the end', async () => {
  const server = await rawServer((peer) => peer.end('x'));
  const { reconnecting, factory } = reconnectingTo(server.port);
  const first = watchAs('first', reconnecting);
  const second = watchAs('second', reconnecting);
  const states = watchAs('states', reconnecting.readyStates);
  await expect.poll(() => second.log.filter((type) => type === 'data').length).toBeGreaterThan(1);
  as('closer', () => reconnecting.error());
  await Promise.all([first.ended, second.ended, states.ended]);
  const late = watchAs('late', reconnecting);
  await late.ended;
  expect(first.log).toEqual(expect.arrayContaining(['connect', 'data', 'end', 'disconnect', 'retry']));
  expect(second.log).toEqual(first.log);
  expect([first.users, second.users, states.users, late.users]).toEqual([
    new Set(['first']),
    new Set(['second']),
    new Set(['states']),
    new Set(['late']),
  ]);
  expect(factory.length).toBeGreaterThan(1);
  expect(new Set(factory)).toEqual(new Set(['maker']));
});

test('a subscriber is notified in its own context of what another one writes', async () => {
  const server = await rawServer();
  const { reconnecting } = reconnectingTo(server.port);
  const watcher = watchAs('watcher', reconnecting);
  await expect.poll(() => watcher.log).toContain('connect');
  as('writer', () => reconnecting.next(Buffer.alloc(20_000_000)));
  (await server.next()).resume();
  await expect.poll(() => watcher.log).toContain('drain');
  expect(watcher.users).toEqual(new Set(['watcher']));
});

test('the pipelines of each connection run in the context of their subscriber', async () => {
  const server = await rawServer((peer) => peer.end('x\n'));
  const { reconnecting } = reconnectingTo(server.port);
  const projecting = new Set<string>();
  const pipelinesOf = (user: string) => {
    const project = reconnecting.eachConnection((bytes) => {
      projecting.add(`${user}: ${currentUser()}`);
      return bytes.pipe(
        lines(),
        map((line) => line + currentUser()),
      );
    });
    return watchAs(user, project);
  };
  const [first, second] = [pipelinesOf('first'), pipelinesOf('second')];
  await expect.poll(() => second.log.length).toBeGreaterThan(1);
  as('closer', () => reconnecting.error());
  await Promise.all([first.ended, second.ended]);
  expect(projecting).toEqual(new Set(['first: first', 'second: second']));
  expect(new Set(first.values)).toEqual(new Set(['xfirst']));
  expect(new Set(second.values)).toEqual(new Set(['xsecond']));
  expect([first.users, second.users]).toEqual([new Set(['first']), new Set(['second'])]);
});

test('the bytes of one connection reach each of their readers in its own context', async () => {
  const server = await rawServer();
  const { reconnecting } = reconnectingTo(server.port);
  const readers: ReturnType<typeof watchAs<Buffer>>[] = [];
  const results = reconnecting.eachConnection((bytes) => {
    readers.push(watchAs('first', bytes), watchAs('second', bytes));
    return bytes;
  });
  watchAs('other', results);
  (await server.next()).write('x');
  await expect.poll(() => readers.map(({ log }) => log)).toEqual([['x'], ['x']]);
  expect(readers.map(({ users }) => users)).toEqual([new Set(['first']), new Set(['second'])]);
});
