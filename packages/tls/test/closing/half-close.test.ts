// Either side may end while the other continues. An abort is not an end, and sends no close_notify.
import { once } from 'node:events';
import { data, serve, through, writeTo } from '@rxsock/core';
import { concat, EMPTY, NEVER, of } from 'rxjs';
import { beforeEach, describe, expect, test } from 'vitest';
import { setNodeInternals } from '../../../../tests/support/node-internals.js';
import { record } from '../../../../tests/support/record.js';
import { turns } from '../../../../tests/support/turns.js';
import { versions } from '../support/identities.js';
import { dial, drained, everyCase, nodeClient, nodeServer, pair, serverOf } from '../support/peers.js';
import { CLOSE_NOTIFY, wireTo } from '../support/wire.js';

describe.each([{ reads: true }, { reads: false }])('with internals.reads $reads', (ways) => {
  beforeEach(() => setNodeInternals(ways));

  test.each(everyCase)(
    'complete() sends close_notify and FIN, and reading continues: %s, %s',
    async (origin, version) => {
      const { socket, peer, toPeer } = await pair(origin, version);
      const { log, ended } = record(socket.pipe(data()));
      const theirs = drained(peer);
      socket.next('question');
      socket.complete();
      expect(await theirs).toEqual({ text: 'question', end: 'end' });
      expect(await toPeer.ended).toBe('FIN');
      expect(toPeer.log.slice(-2)).toEqual([CLOSE_NOTIFY[version], 'FIN']);
      expect(socket.readyState).toBe('readOnly');
      peer.write('a late ');
      peer.end('answer');
      expect(await ended).toEqual({});
      expect(log.join('')).toBe('a late answercomplete');
    },
  );

  test.each(everyCase)(
    'writing continues with allowHalfOpen after the peer has ended: %s, %s',
    async (origin, version) => {
      const { socket, peer, toPeer } = await pair(origin, version, { allowHalfOpen: true });
      const { log, ended } = record(socket);
      const theirs = drained(peer);
      peer.end('question');
      await expect.poll(() => log).toContain('end');
      expect(socket.readyState).toBe('writeOnly');
      await turns();
      expect(toPeer.log).not.toContain('FIN');
      await socket.write('a late answer');
      socket.complete();
      expect(await theirs).toEqual({ text: 'a late answer', end: 'end' });
      expect(await ended).toEqual({});
      expect(log.slice(-4)).toEqual(['end', 'finish', 'close', 'complete']);
      expect(await toPeer.ended).toBe('FIN');
      expect(toPeer.log.slice(-2)).toEqual([CLOSE_NOTIFY[version], 'FIN']);
    },
  );

  test.each(everyCase)(
    'without allowHalfOpen our side ends after the peer, when queued bytes are sent: %s, %s',
    async (origin, version) => {
      const { socket, peer } = await pair(origin, version);
      const { log, values, ended } = record(socket);
      const bytes = 3_000_000;
      socket.next(Buffer.alloc(bytes, 'x'));
      peer.end();
      await expect.poll(() => log).toContain('end');
      const { text, end } = await drained(peer);
      expect([text.length, end]).toEqual([bytes, 'end']);
      expect(await ended).toEqual({});
      expect(values.at(-1)).toMatchObject({ report: { by: 'peer', how: 'fin', bytesUnsent: 0, bytesWritten: bytes } });
    },
  );

  test.each(everyCase)('error() resets and sends no close_notify: %s, %s', async (origin, version) => {
    const { socket, peer, toPeer } = await pair(origin, version);
    const { log, ended } = record(socket);
    await socket.write('a part');
    await once(peer, 'data');
    const theirs = drained(peer);
    socket.error(new Error('enough'));
    expect(await ended).toMatchObject({ error: { name: 'AbortedError', code: 'ERR_SOCKET_ABORTED' } });
    expect(log).not.toContain('finish');
    expect(await toPeer.ended).toBe('RST');
    expect(toPeer.log).not.toContain(CLOSE_NOTIFY[version]);
    expect(await theirs).toEqual({ text: '', end: 'ECONNRESET' });
  });

  test.each(everyCase)('an abort with queued bytes resets too: %s, %s', async (origin, version) => {
    const { socket, peer, toPeer } = await pair(origin, version);
    const { values, ended } = record(socket);
    socket.next(Buffer.alloc(50_000_000));
    await once(peer, 'readable');
    socket.error();
    await ended;
    expect(values.at(-1)).toMatchObject({ report: { by: 'local', how: 'abort', bytesUnsent: expect.any(Number) } });
    peer.resume();
    expect(await toPeer.ended).toBe('RST');
    expect(toPeer.log).not.toContain(CLOSE_NOTIFY[version]);
  });

  test.each(everyCase)('a transfer that is cut short is not an end: %s, %s', async (origin, version) => {
    const { socket, peer, toPeer } = await pair(origin, version);
    record(socket.pipe(data()));
    const { subscription } = record(concat(of('a part'), NEVER).pipe(writeTo(socket)));
    await once(peer, 'data');
    subscription.unsubscribe();
    expect(await toPeer.ended).toBe('RST');
    expect(toPeer.log).not.toContain(CLOSE_NOTIFY[version]);
  });

  test.each(everyCase)('a reset by the peer is an error, after the data before it: %s, %s', async (origin, version) => {
    const { socket, peer, toUs } = await pair(origin, version);
    const { log, ended } = record(socket.pipe(data()));
    peer.write('a part');
    await expect.poll(() => log).toEqual(['a part']);
    toUs.reset();
    expect(await ended).toMatchObject({ error: { name: 'ResetError', code: 'ECONNRESET', phase: 'read' } });
    expect(log).toEqual(['a part', 'error:ECONNRESET']);
  });

  test.each(everyCase)('a held socket makes the peer wait, and nothing is lost: %s, %s', async (origin, version) => {
    const { socket, peer } = await pair(origin, version);
    const release = socket.hold();
    const { values, ended } = record(socket.pipe(data()));
    const bytes = 20_000_000;
    let written = false;
    peer.end(Buffer.alloc(bytes, 'x'), () => {
      written = true;
    });
    await turns(200);
    expect(written).toBe(false);
    expect(socket.bytesRead).toBeLessThan(300_000);
    release();
    expect(await ended).toEqual({});
    expect(Buffer.concat(values)).toHaveLength(bytes);
  });

  test.each(everyCase)(
    'next() returns false while the peer does not read, and drain follows: %s, %s',
    async (origin, version) => {
      const { socket, peer } = await pair(origin, version);
      const { log } = record(socket);
      expect(socket.next(Buffer.alloc(65_535))).toBe(true);
      expect(socket.next(Buffer.alloc(20_000_000))).toBe(false);
      await turns();
      expect(log).not.toContain('drain');
      peer.resume();
      await expect.poll(() => log).toContain('drain');
      expect(socket.writableLength).toBe(0);
      expect(socket.bytesWritten).toBe(20_065_535);
    },
  );
});

test.each(versions)('a server that answers and ends at once ends with close_notify: %s', async (version) => {
  const { server, port } = await serverOf({ maxVersion: version });
  record(server.pipe(serve(() => of('Welcome'))));
  const wire = await wireTo(port);
  expect(await drained(nodeClient(wire.port))).toEqual({ text: 'Welcome', end: 'end' });
  expect(await wire.toClient.ended).toBe('FIN');
  expect(wire.toClient.log.slice(-2)).toEqual([CLOSE_NOTIFY[version], 'FIN']);
});

test.each(versions)('a client that has asked before the handshake ends with close_notify: %s', async (version) => {
  const server = await nodeServer({ maxVersion: version });
  const wire = await wireTo(server.port);
  const asked = record(of('question').pipe(through(dial({ port: wire.port }))));
  const peer = await server.next();
  expect(await drained(peer)).toEqual({ text: 'question', end: 'end' });
  expect(await wire.toServer.ended).toBe('FIN');
  expect(wire.toServer.log.slice(-2)).toEqual([CLOSE_NOTIFY[version], 'FIN']);
  peer.end('answer');
  await asked.ended;
  expect(asked.log).toEqual(['answer', 'complete']);
});

test.each(versions)('a client that has nothing to say ends with close_notify: %s', async (version) => {
  const server = await nodeServer({ maxVersion: version });
  const wire = await wireTo(server.port);
  const asked = record(EMPTY.pipe(through(dial({ port: wire.port }))));
  const peer = await server.next();
  expect(await drained(peer)).toEqual({ text: '', end: 'end' });
  expect(await wire.toServer.ended).toBe('FIN');
  expect(wire.toServer.log.slice(-2)).toEqual([CLOSE_NOTIFY[version], 'FIN']);
  peer.end();
  expect(await asked.ended).toEqual({});
});
