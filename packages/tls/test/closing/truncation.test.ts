// A stream that ends without close_notify was cut, and is never reported as whole. A stream that ends with it has
// ended.
import { data, type SocketError } from '@rxsock/core';
import { expect, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { everyCase, pair } from '../support/peers.js';
import { CLOSE_NOTIFY } from '../support/wire.js';

const CUT = { name: 'SocketError', code: 'ERR_TLS_TRUNCATED', phase: 'read' };

test.each(everyCase)('reports a cut between two records, after the data before it: %s, %s', async (origin, version) => {
  const { socket, peer, toUs } = await pair(origin, version);
  const { log, values, ended } = record(socket);
  peer.write('a part');
  await expect.poll(() => log).toContain('data');
  toUs.cut();
  expect(await ended).toMatchObject({ error: CUT });
  expect(log.filter((type) => type !== 'connect')).toEqual([
    'secureConnect',
    'data',
    'close',
    'error:ERR_TLS_TRUNCATED',
  ]);
  expect(values.at(-1)).toMatchObject({ type: 'close', report: { by: 'peer', how: 'error', bytesRead: 6 } });
});

test.each(everyCase)('reports a cut inside a record, after the records before it: %s, %s', async (origin, version) => {
  const { socket, peer, toUs } = await pair(origin, version);
  const { log, ended } = record(socket.pipe(data()));
  peer.write('a part');
  await expect.poll(() => log).toEqual(['a part']);
  toUs.cutInside(3);
  peer.write('the rest');
  expect(await ended).toMatchObject({ error: CUT });
  expect(log).toEqual(['a part', 'error:ERR_TLS_TRUNCATED']);
});

test.each(everyCase)('reports a cut before any byte: %s, %s', async (origin, version) => {
  const { socket, toUs } = await pair(origin, version);
  toUs.cut();
  expect(await record(socket.pipe(data())).ended).toMatchObject({ error: CUT });
});

test.each(everyCase)('reports a cut to a held reader, after all data before it: %s, %s', async (origin, version) => {
  const { socket, peer, toUs } = await pair(origin, version, { highWaterMark: 1_000_000 });
  const release = socket.hold();
  const { values, log, ended } = record(socket.pipe(data()));
  const whole = Buffer.alloc(100_000, 'x');
  peer.write(whole);
  await expect.poll(() => socket.bytesRead).toBe(whole.length);
  toUs.cut();
  await expect.poll(() => socket.readyState).toBe('closing');
  expect(log).toEqual([]);
  release();
  expect(await ended).toMatchObject({ error: CUT });
  expect(Buffer.concat(values)).toEqual(whole);
});

test.each(everyCase)('resets a connection that was cut, and sends no close_notify: %s, %s', async (origin, version) => {
  const { socket, toUs, toPeer } = await pair(origin, version);
  const { ended } = record(socket);
  toUs.cut();
  await ended;
  expect(await toPeer.ended).toBe('RST');
  expect(toPeer.log).not.toContain(CLOSE_NOTIFY[version]);
});

test.each(everyCase)('rejects the queued writes when it is cut: %s, %s', async (origin, version) => {
  const { socket, peer, toUs } = await pair(origin, version);
  peer.pause();
  const { ended } = record(socket.pipe(data()));
  const written = socket.write(Buffer.alloc(30_000_000));
  toUs.cut();
  const { error } = (await ended) as { error: SocketError };
  expect(error).toMatchObject(CUT);
  await expect(written).rejects.toBe(error);
});

test.each(everyCase)('reports close_notify and FIN as the end: %s, %s', async (origin, version) => {
  const { socket, peer } = await pair(origin, version);
  const { log, ended } = record(socket.pipe(data()));
  peer.end('the whole');
  expect(await ended).toEqual({});
  expect(log).toEqual(['the whole', 'complete']);
});

test.each(everyCase)('reports close_notify alone as the end: %s, %s', async (origin, version) => {
  const { socket, peer, toUs } = await pair(origin, version, { allowHalfOpen: true });
  const { log, ended } = record(socket.pipe(data()));
  toUs.keepOpen();
  peer.end('the whole');
  expect(await ended).toEqual({});
  expect(log).toEqual(['the whole', 'complete']);
  expect(await toUs.ended).toBe('FIN');
  expect(toUs.log.at(-2)).toBe(CLOSE_NOTIFY[version]);
});

test.each(everyCase)('reports both as the end while held, too: %s, %s', async (origin, version) => {
  const { socket, peer, toUs } = await pair(origin, version, { highWaterMark: 1_000_000 });
  const release = socket.hold();
  const { values, ended } = record(socket.pipe(data()));
  peer.end(Buffer.alloc(100_000, 'x'));
  expect(await toUs.ended).toBe('FIN');
  await expect.poll(() => socket.bytesRead).toBe(100_000);
  release();
  expect(await ended).toEqual({});
  expect(Buffer.concat(values)).toHaveLength(100_000);
});
