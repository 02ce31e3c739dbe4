// The window into running sockets: the diagnostics channels, the byte taps, and who holds.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { data, lines, mapWithBackpressure, type Socket } from '@rxsock/core';
import { channel, traceHolds } from '@rxsock/core/diagnostics';
import { liveServers, liveSockets, tapBytes } from '@rxsock/core/internal';
import { first, firstValueFrom, NEVER } from 'rxjs';
import { expect, onTestFinished } from 'vitest';
import { record } from '../../support/record.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

const SOCKET = ['dial', 'open', 'hold', 'release', 'error', 'close'] as const;

interface Message {
  readonly name: string;
  readonly socket: Socket;
  readonly duration?: number | undefined;
}

/** Records what the channels publish about sockets, in order. */
function published(): Message[] {
  const messages: Message[] = [];
  for (const name of SOCKET) {
    const subscription = channel(`rxsock:socket:${name}`).subscribe((message) => messages.push({ name, ...message }));
    onTestFinished(() => subscription.unsubscribe());
  }
  return messages;
}

/** Records what taps see of each socket, in order. */
function tapped(): Map<Socket, string[]> {
  const seen = new Map<Socket, string[]>();
  const add = (socket: Socket, what: string) => void seen.set(socket, [...(seen.get(socket) ?? []), what]);
  const remove = tapBytes<Socket>({
    received: (socket, bytes) => add(socket, `< ${Buffer.from(bytes)}`),
    receivedEnd: (socket) => add(socket, '< FIN'),
    sent: (socket, bytes) => add(socket, `> ${Buffer.from(bytes)}`),
    sentEnd: (socket) => add(socket, '> FIN'),
    datagramReceived: () => {},
    datagramSent: () => {},
  });
  onTestFinished(remove);
  return seen;
}

const of = (messages: readonly Message[], socket: Socket) => messages.filter((message) => message.socket === socket);
const namesOf = (messages: readonly Message[], socket: Socket) => of(messages, socket).map(({ name }) => name);

export const windowTopic = topic('The window', (behaviour) => {
  behaviour('the channels publish open, then close with the report', async ({ connected }) => {
    const messages = published();
    const { near, far } = await connected();
    near.next('four');
    near.complete();
    far.complete();
    const ends = [record(near).ended, record(far).ended];
    await Promise.all(ends);
    for (const socket of [near, far]) {
      const [first, second] = of(messages, socket).filter(({ name }) => name !== 'dial');
      expect([first, second]).toMatchObject([
        { name: 'open', local: socket.local, remote: socket.remote },
        { name: 'close', report: { how: 'fin' }, error: undefined },
      ]);
    }
    expect(of(messages, near).at(-1)).toMatchObject({ report: { bytesWritten: 4 } });
    expect(of(messages, far).at(-1)).toMatchObject({ report: { bytesRead: 4 } });
  });

  behaviour(
    'a dialled socket publishes dial first, and says what it dialled for',
    ['server'],
    async ({ listening }) => {
      const messages = published();
      const { dial, next } = await listening();
      const socket = dial();
      record(socket);
      const accepted = await next();
      await until(() => of(messages, socket).length === 2);
      expect(of(messages, socket)).toMatchObject([
        { name: 'dial', role: 'client', target: expect.any(String) },
        { name: 'open', role: 'client', dialDuration: expect.any(Number) },
      ]);
      expect(of(messages, accepted)).toMatchObject([{ name: 'open', role: 'server', dialDuration: undefined }]);
      // Both ends of a connection over TLS know how long the handshake took.
      const handshakes = [socket, accepted].map((each) => of(messages, each).at(-1)) as {
        handshakeDuration?: number;
      }[];
      const isSecure = socket.type === 'tls';
      expect(handshakes.map(({ handshakeDuration = -1 }) => handshakeDuration >= 0)).toEqual([isSecure, isSecure]);
    },
  );

  behaviour('a dial that is refused publishes its error, and then close', ['server'], async ({ dialNowhere }) => {
    const messages = published();
    const socket = await dialNowhere();
    const { error } = await record(socket).ended;
    expect(of(messages, socket)).toMatchObject([
      { name: 'dial' },
      { name: 'error', error },
      { name: 'close', error, report: { duration: 0 } },
    ]);
  });

  behaviour('an abort publishes its error at once, and then close', async ({ connected }) => {
    const messages = published();
    const { near } = await connected();
    const { ended } = record(near);
    near.error(new Error('enough'));
    expect(namesOf(messages, near).at(-1)).toBe('error');
    await ended;
    expect(namesOf(messages, near).slice(-2)).toEqual(['error', 'close']);
  });

  behaviour('the first hold and the last release are published, with the time between', async ({ timed, clock }) => {
    const messages = published();
    const { near } = await timed();
    const releases = [near.hold('first'), near.hold('second')];
    clock.tick(250);
    for (const release of releases) release();
    expect(of(messages, near).slice(-2)).toMatchObject([{ name: 'hold' }, { name: 'release', duration: 250 }]);
    expect(namesOf(messages, near).filter((name) => name === 'hold')).toHaveLength(1);
  });

  behaviour('a tap sees both directions in order, also one that comes late', async ({ connected }) => {
    const { near, far } = await connected();
    const seen = tapped();
    const received = [record(near), record(far)];
    near.next('ping');
    await until(() => seen.get(far)?.length === 1);
    far.next('pong');
    await until(() => seen.get(near)?.length === 2);
    near.complete();
    far.complete();
    await Promise.all(received.map(({ ended }) => ended));
    expect(seen.get(near)?.slice(0, 2)).toEqual(['> ping', '< pong']);
    expect(seen.get(far)?.slice(0, 2)).toEqual(['< ping', '> pong']);
    for (const socket of [near, far]) expect(seen.get(socket)?.slice(2).sort()).toEqual(['< FIN', '> FIN']);
  });

  behaviour('taps and subscribers that throw disturb nobody', async ({ connected, settle }) => {
    const thrown: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => thrown.push(error));
    const fail = () => {
      throw new Error('observer');
    };
    const tap = { received: fail, receivedEnd: fail, sent: fail, sentEnd: fail, datagramReceived: fail };
    const removeTap = tapBytes<Socket>({ ...tap, datagramSent: fail });
    // Not as an Observable: RxJS would catch the error before Node does.
    for (const name of SOCKET) subscribe(`rxsock:socket:${name}`, fail);
    const { near, far } = await connected();
    const all = [record(near.pipe(data())), record(far.pipe(data()))];
    near.hold()();
    near.next('ping');
    near.complete();
    far.complete();
    await Promise.all(all.map(({ ended }) => ended));
    expect(all.map(({ log }) => log)).toEqual([['complete'], ['ping', 'complete']]);
    for (const name of SOCKET) unsubscribe(`rxsock:socket:${name}`, fail);
    removeTap();
    await settle();
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(thrown.length).toBeGreaterThanOrEqual(8);
  });

  behaviour('a subscriber may abort the socket inside of any message', ['server'], async ({ listening }) => {
    for (const name of SOCKET) {
      const subscription = channel(`rxsock:socket:${name}`).subscribe(({ socket }) => socket.error(new Error(name)));
      const { server, dial } = await listening();
      const socket = dial();
      const { ended, log } = record(socket);
      socket.next('ping');
      const opened = socket.readyStates.pipe(first((state) => state === 'open' || state === 'closed'));
      if ((await firstValueFrom(opened)) === 'open') socket.hold()();
      socket.error();
      await ended;
      expect([socket.readyState, log.at(-2)]).toEqual(['closed', 'close']);
      await server.close({ drain: 0 });
      subscription.unsubscribe();
    }
  });

  behaviour('a socket is listed while it is open', async ({ connected }) => {
    published();
    const { near, far } = await connected();
    expect([near, far].map((socket) => liveSockets.has(socket))).toEqual([true, true]);
    const ended = [near, far].map((socket) => record(socket).ended);
    near.error();
    await Promise.all(ended);
    expect([near, far].map((socket) => liveSockets.has(socket))).toEqual([false, false]);
  });

  behaviour('a server is listed while it is open, and publishes what it does', ['server'], async ({ listening }) => {
    const log: unknown[] = [];
    for (const name of ['listening', 'connection', 'draining', 'close'] as const) {
      const subscription = channel(`rxsock:server:${name}`).subscribe((message) => {
        const { server, socket } = message as { server: unknown; socket?: unknown };
        log.push([name, server, socket]);
      });
      onTestFinished(() => subscription.unsubscribe());
    }
    const { server, dial, next } = await listening();
    expect(liveServers.has(server)).toBe(true);
    record(dial());
    const socket = await next();
    await server.close({ drain: 0 });
    expect(liveServers.has(server)).toBe(false);
    expect(log).toEqual([
      ['listening', server, undefined],
      ['connection', server, socket],
      ['draining', server, undefined],
      ['close', server, undefined],
    ]);
  });

  behaviour('inspect shows one line in every state, and no payload', async ({ connected }) => {
    const { near, far } = await connected();
    near.name = 'near';
    near.hold('lunch');
    far.next('secret');
    await until(() => near.readableLength === 6);
    const line = inspect(near);
    expect(line).toMatch(/^Socket #\d+ 'near' \w+ open .*6 bytes read, 6 waiting to be read, held by lunch\)$/);
    const page = inspect(near, { depth: 1 });
    expect(page).toContain("readyState: 'open'");
    expect(page.startsWith(line)).toBe(true);
    expect(`${line}${page}`).not.toContain('secret');
    const { ended } = record(near);
    near.error();
    await ended;
    expect(inspect(near)).toContain(' closed ');
  });

  behaviour(
    'a hold shows the path to its holder, since when, and with traceHolds from where',
    async ({ timed, clock }) => {
      const { near, far } = await timed();
      record(
        near.pipe(
          data(),
          lines(),
          mapWithBackpressure(() => NEVER, { highWaterMark: 1 }),
        ),
      );
      far.next('a\nb\nc\nd\n');
      await until(() => near.holds.length > 0);
      const since = clock.now();
      clock.tick(40);
      expect(near.holds).toEqual(['lines ← mapWithBackpressure']);
      expect(near.holders).toEqual([{ reason: 'lines ← mapWithBackpressure', since, stack: undefined }]);
      onTestFinished(traceHolds());
      function lunchBreak() {
        near.hold('lunch');
      }
      lunchBreak();
      expect(near.holders[1]).toMatchObject({ reason: 'lunch', since: since + 40 });
      expect(near.holders[1]?.stack).toContain('lunchBreak');
    },
  );

  behaviour(
    'the message of a holdTimeout names the holders, and the age of those that came later',
    async ({ timed, clock }) => {
      const { near } = await timed({ holdTimeout: 100 });
      const { ended } = record(near);
      near.hold('first');
      clock.tick(60);
      near.hold('second');
      clock.tick(40);
      const { error } = await ended;
      expect((error as Error).message).toContain('was held by first, second (for 40 ms) for 100 ms');
    },
  );
});
