// snapshot(): its content in each state, and that it is plain data.
import type { Socket } from '@rxsock/core';
import { type SocketSnapshot, snapshot } from '@rxsock/core/registry';
import { VirtualClock } from '@rxsock/core/testing';
import { expect, test } from 'vitest';
import { dial, pair } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

/** The same, through JSON. */
function plain(socket: Socket): SocketSnapshot {
  const taken = snapshot(socket);
  expect(JSON.parse(JSON.stringify(taken))).toStrictEqual(taken);
  return taken;
}

test('omits what is not known for an idle socket', () => {
  const socket = dial({ port: 1 });
  socket.next('abc');
  expect(plain(socket)).toStrictEqual({
    id: socket.id,
    name: '',
    type: 'tcp',
    readyState: 'idle',
    bytesRead: 0,
    bytesWritten: 0,
    readableLength: 0,
    writableLength: 3,
    holds: [],
    holders: [],
  });
});

test('of an open socket does not change later', async () => {
  const scheduler = new VirtualClock();
  scheduler.tick(1000);
  const { socket, peer } = await pair({ scheduler });
  socket.name = 'www1';
  socket.mark = { tries: 2, when: new Date(0) };
  scheduler.tick(500);
  await socket.write('hello');
  await expect.poll(() => socket.lastWriteAt).toBe(1500);
  scheduler.tick(500);
  record(socket);
  const release = socket.hold('lunch');
  peer.write('ok');
  await expect.poll(() => socket.bytesRead).toBe(2);
  const expected = {
    id: socket.id,
    name: 'www1',
    type: 'tcp',
    readyState: 'open',
    local: { address: '127.0.0.1', port: peer.remotePort, family: 'IPv4' },
    remote: { address: '127.0.0.1', port: peer.localPort, family: 'IPv4' },
    bytesRead: 2,
    bytesWritten: 5,
    readableLength: 2,
    writableLength: 0,
    openedAt: 1000,
    lastReadAt: 2000,
    lastWriteAt: 1500,
    holds: ['lunch'],
    holders: [{ reason: 'lunch', since: 2000 }],
    mark: { tries: 2, when: '1970-01-01T00:00:00.000Z' },
  };
  const taken = plain(socket);
  expect(taken).toStrictEqual(expected);
  release();
  (socket.mark as { tries: number }).tries = 3;
  socket.error();
  await socket.close();
  expect(taken).toStrictEqual(expected);
  expect(plain(socket)).toStrictEqual({
    ...expected,
    readyState: 'closed',
    readableLength: 0,
    holds: [],
    holders: [],
    mark: { ...expected.mark, tries: 3 },
  });
});

test('of a socket that never opened has its reason', async () => {
  const socket = dial({ port: 1 });
  socket.error();
  await socket.close();
  expect(plain(socket)).toMatchObject({ readyState: 'closed' });
  expect(plain(socket)).not.toHaveProperty('openedAt');
});

const circular: { self?: unknown } = {};
circular.self = circular;

test.each([
  [null, null],
  [0, 0],
  ['', ''],
  [Number.NaN, null],
  [[undefined], [null]],
  [12n, '12n'],
  [Symbol('s'), 'Symbol(s)'],
  [circular, '<ref *1> { self: [Circular *1] }'],
  [function named() {}, '[Function: named]'],
])('copies a mark of %o', (mark, expected) => {
  const socket = dial({ port: 1 });
  socket.mark = mark;
  expect(plain(socket).mark).toStrictEqual(expected);
});

test('omits a mark that cannot be copied', () => {
  const socket = dial({ port: 1 });
  socket.mark = {
    toJSON() {
      throw new Error('no');
    },
  };
  expect(plain(socket).mark).toBe('{ toJSON: [Function: toJSON] }');
});

test('omits a mark that is the socket itself', () => {
  const socket = dial({ port: 1 });
  socket.name = 'me';
  socket.mark = socket;
  expect(plain(socket).mark).toContain("name: 'me'");
});

test.each([undefined, null, {}, 'www'])('rejects %s', (socket) => {
  expect(() => snapshot(socket as never)).toThrow(TypeError);
  expect(() => snapshot(socket as never)).toThrow('snapshot() takes a socket or a server of rxsock, not');
});
