// `shouldRetry`: errors after which no attempt is made.
import { lines, type ReconnectingSocket, reader, type Socket, type SocketError } from '@rxsock/core';
import { expect, test } from 'vitest';
import { closedPort, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { reconnectingTo } from '../support/reconnecting.js';

class RefusedError extends Error {}

const isRefused = (error: SocketError | undefined) => error?.cause instanceof RefusedError;

async function logIn(socket: Socket): Promise<void> {
  using replies = reader(socket);
  const reply = await replies.readLine();
  if (reply === 'busy') throw new Error('busy');
  if (reply !== 'ok') throw new RefusedError('wrong password');
}

test('a refused login fails the reconnecting socket, and another failure does not', async () => {
  const server = await rawServer();
  const { reconnecting, clock } = reconnectingTo(server.port, {
    setup: logIn,
    shouldRetry: (error) => !isRefused(error),
  });
  const events = record(reconnecting);
  const written = record(reconnecting.eachConnection((bytes) => bytes.pipe(lines())));
  const lost = reconnecting.write('a secret\n').catch((error) => error);
  (await server.next()).write('busy\n');
  await expect.poll(() => reconnecting.readyState).toBe('waiting');
  clock.tick(100);
  (await server.next()).write('no\n');

  const { error } = await events.ended;
  expect(error).toMatchObject({ code: 'ERR_SETUP_FAILED', cause: expect.any(RefusedError) });
  expect(events.log.slice(-2)).toEqual(['disconnect', 'error:ERR_SETUP_FAILED']);
  expect(written.log).toEqual(['error:ERR_SETUP_FAILED']);
  expect(await lost).toBe(error);
  expect(server.peers.length).toBe(2);
});

test('is asked after each connection, also if that could not be opened, or if the peer has ended it', async () => {
  const asked: (string | undefined)[] = [];
  const shouldRetry = (error: SocketError | undefined) => asked.push(error?.code) < 2;
  const server = await rawServer();
  const ports = [await closedPort(), server.port];
  const { reconnecting, clock } = reconnectingTo(() => ports.shift() as number, { shouldRetry });
  const events = record(reconnecting);
  await expect.poll(() => reconnecting.readyState).toBe('waiting');
  clock.tick(100);
  (await server.next()).end();

  expect(await events.ended).toEqual({});
  expect(asked).toEqual(['ECONNREFUSED', undefined]);
});

test('what it throws is the error of the reconnecting socket', async () => {
  const mistake = new Error('a mistake');
  const { reconnecting } = reconnectingTo(await closedPort(), {
    shouldRetry: () => {
      throw mistake;
    },
  });

  expect(await record(reconnecting).ended).toEqual({ error: mistake });
});

test('it may throw nothing at all: the reconnecting socket fails all the same', async () => {
  const { reconnecting } = reconnectingTo(await closedPort(), {
    shouldRetry: () => {
      throw undefined;
    },
  });

  expect((await record(reconnecting).ended).error).toMatchObject({
    message: 'undefined was given in place of an Error',
  });
});

test.each([undefined, 0, 'no', Promise.resolve(false)])(
  'it must return true or false at once, not %s',
  async (answer) => {
    const { reconnecting } = reconnectingTo(await closedPort(), { shouldRetry: () => answer as never });

    const { error } = await record(reconnecting).ended;
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ message: expect.stringContaining('shouldRetry returns must be true or false') });
  },
);

const endings: [string, (reconnecting: ReconnectingSocket, abort: () => void) => unknown][] = [
  ['error()', (reconnecting) => reconnecting.error()],
  ['close()', (reconnecting) => reconnecting.close()],
  ['complete()', (reconnecting) => reconnecting.complete()],
  ['its signal', (_reconnecting, abort) => abort()],
];

test.each(endings)('no attempt follows if it ends the reconnecting socket with %s', async (_how, end) => {
  const server = await rawServer();
  const { signal, abort } = abortable();
  const { reconnecting, clock } = reconnectingTo(server.port, {
    signal,
    shouldRetry: () => {
      end(reconnecting, abort);
      return true;
    },
  });
  const { ended, log } = record(reconnecting);
  (await server.next()).resetAndDestroy();
  await ended;
  clock.tick(1000);
  await turns();
  expect(log).not.toContain('retry');
  expect(reconnecting.socket).toBeUndefined();
  expect(server.peers).toHaveLength(1);
});

// After complete(), the connection is still made: it carries the FIN.
const aborts = endings.filter(([how]) => how !== 'complete()');

test.each(aborts)('a function that ends the reconnecting socket with %s dials for nobody', async (_how, end) => {
  const server = await rawServer();
  const { signal, abort } = abortable();
  let calls = 0;
  const port = () => {
    if (++calls === 2) end(reconnecting, abort);
    return server.port;
  };
  const { reconnecting, clock } = reconnectingTo(port, { signal });
  const { ended, log } = record(reconnecting);
  (await server.next()).resetAndDestroy();
  await expect.poll(() => log).toContain('retry');
  clock.tick(100);
  await ended;
  await turns();
  expect(calls).toBe(2);
  expect(reconnecting.socket).toBeUndefined();
  expect(server.peers).toHaveLength(1);
});

function abortable(): { readonly signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
