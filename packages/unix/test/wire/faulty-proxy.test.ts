// What each fault of faultyProxy() looks like over UNIX sockets, which have no reset.
import fs from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import { connections, data, lines, ResetError } from '@rxsock/core';
import { type FaultyPathProxyOptions, faultyProxy } from '@rxsock/core/testing';
import { connect, listen } from '@rxsock/unix';
import { firstValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { record } from '../../../../tests/support/record.js';
import { modeOf, started, temporaryPath } from '../../../../tests/support/unix-servers.js';

/** Both ends of a connection through a proxy. */
async function proxied(faults: Omit<FaultyPathProxyOptions, 'target'> = {}) {
  const { path } = temporaryPath();
  const server = listen({ path, keepOpen: true, allowHalfOpen: true });
  const accepted = firstValueFrom(server.pipe(connections()));
  await started(server);
  const proxy = await faultyProxy({ target: { path }, ...faults });
  onTestFinished(() => proxy.close());
  const client = connect({ path: proxy.path, keepOpen: true, allowHalfOpen: true });
  onTestFinished(() => client.error());
  await client.write('');
  return { client, peer: await accepted, proxy };
}

test('without faults it changes nothing: a half-close one way, a late reply the other', async () => {
  const { client, peer } = await proxied();
  const received = record(client);
  const atPeer = record(peer.pipe(data()));
  client.next('request');
  client.complete();
  expect(await atPeer.ended).toEqual({});
  expect(atPeer.log).toEqual(['request', 'complete']);
  expect(received.log).not.toContain('end');
  peer.next('reply');
  peer.complete();
  await received.ended;
  expect(received.log).toEqual(['connect', 'finish', 'data', 'end', 'close', 'complete']);
});

test('pieces of a few bytes yield the same lines', async () => {
  const { client, peer } = await proxied({ slicer: { averageSize: 3, sizeVariation: 2 }, latency: 2, jitter: 2 });
  const chunks = record(client.pipe(data()));
  const received = record(client.pipe(data(), lines()));
  peer.next('one\r\ntwo\r\n\r\nthree €\r\n');
  peer.complete();
  await received.ended;
  expect(received.values).toEqual(['one', 'two', '', 'three €']);
  expect(chunks.values.length).toBeGreaterThan(1);
});

test('a data limit and a timeout are ends', async () => {
  for (const fault of [{ limitData: 4 }, { timeout: { bytes: 4, delay: 20 } }]) {
    const { client, peer } = await proxied({ ...fault, direction: 'fromTarget' });
    const received = record(client.pipe(data()));
    peer.next('abcdef');
    expect(await received.ended).toEqual({});
    expect(received.log).toEqual(['abcd', 'complete']);
  }
});

test('a reset is an end, for a UNIX socket has none', async () => {
  const { client, peer } = await proxied({ resetPeer: { bytes: 4 }, direction: 'fromTarget' });
  const received = record(client.pipe(data()));
  const atPeer = record(peer);
  peer.next('abcdef');
  expect(await received.ended).toEqual({});
  expect(received.log).toEqual(['abcd', 'complete']);
  peer.complete();
  const { error } = await atPeer.ended;
  if (error !== undefined) expect(error).toBeInstanceOf(ResetError);
});

test('a target that is not there closes the connection', async () => {
  await using proxy = await faultyProxy({ target: { path: temporaryPath().path } });
  const client = net.connect({ path: proxy.path }).resume();
  const hadError = await new Promise((resolve) => client.on('error', () => {}).on('close', resolve));
  expect(typeof hadError).toBe('boolean');
});

test('listens in a folder for this user alone, which close() removes', async () => {
  const { proxy } = await proxied();
  expect(modeOf(dirname(proxy.path))).toBe('700');
  await proxy.close();
  expect(fs.existsSync(dirname(proxy.path))).toBe(false);
  await proxy.close();
});
