// What a TLS socket emits while it opens, in which order, and what happens to writes before that.
import { once } from 'node:events';
import { data, on, type ReadyState, type SecureConnectEvent, type SocketEvent } from '@rxsock/core';
import { firstValueFrom } from 'rxjs';
import { beforeEach, describe, expect, test } from 'vitest';
import { setNodeInternals } from '../../../../tests/support/node-internals.js';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { localhost, versions } from '../support/identities.js';
import {
  dial,
  drained,
  everyCase,
  nextOf,
  nodeClient,
  nodeServer,
  origins,
  pair,
  secured,
  serverOf,
} from '../support/peers.js';

describe.each([{ reads: true }, { reads: false }])('with internals.reads $reads', (ways) => {
  beforeEach(() => setNodeInternals(ways));

  test.each(versions)('dials, connects, secures, and carries data, in %s', async (version) => {
    const server = await nodeServer({ maxVersion: version, ALPNProtocols: ['echo'] });
    server.server.on('secureConnection', (peer) => peer.pipe(peer));
    const socket = dial({ port: server.port, alpn: ['other', 'echo'] });
    const states: [SocketEvent['type'], ReadyState][] = [];
    socket.subscribe({ next: ({ type }) => states.push([type, socket.readyState]) });
    const { values, log, ended } = record(socket);
    expect(socket.readyState).toBe('connecting');
    socket.next('hello');
    socket.complete();
    expect(await ended).toEqual({});
    expect(states).toEqual([
      ['connectionAttempt', 'connecting'],
      ['connect', 'securing'],
      ['secureConnect', 'open'],
      ['finish', 'readOnly'],
      ['data', 'readOnly'],
      ['end', 'closing'],
      ['close', 'closed'],
    ]);
    expect(log).toEqual([
      'connectionAttempt',
      'connect',
      'secureConnect',
      'finish',
      'data',
      'end',
      'close',
      'complete',
    ]);
    expect(values[1]).toMatchObject({
      local: { address: '127.0.0.1', family: 'IPv4' },
      remote: { address: '127.0.0.1', port: server.port, family: 'IPv4' },
    });
    const { cipher, peer, ...rest } = values[2] as SecureConnectEvent;
    expect(rest).toEqual({ type: 'secureConnect', protocol: version, alpn: 'echo', authorized: true });
    expect(cipher).toBe(version === 'TLSv1.3' ? 'TLS_AES_256_GCM_SHA384' : 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256');
    expect(peer?.subject).toBe('CN=localhost');
    expect(values.at(-1)).toMatchObject({ report: { by: 'local', how: 'fin', bytesRead: 5, bytesWritten: 5 } });
  });

  test.each(everyCase)('replays connect and secureConnect to later subscribers: %s, %s', async (origin, version) => {
    const { socket, peer } = await pair(origin, version);
    const later = record(socket);
    expect(later.log).toEqual(['connect', 'secureConnect']);
    expect(later.values[1]).toMatchObject({ protocol: version });
    peer.end();
    await later.ended;
    const last = record(socket);
    await last.ended;
    expect(last.log).toEqual(['connect', 'secureConnect', 'end', 'finish', 'close', 'complete']);
  });

  test.each(versions)('sends earlier writes after the handshake, in order, in %s', async (version) => {
    const server = await nodeServer({ maxVersion: version });
    const socket = dial({ port: server.port });
    const texts: Promise<unknown>[] = [];
    for (let index = 0; index < 100; index++) texts.push(socket.write(`${index},`));
    const states: ReadyState[] = [];
    socket.pipe(on('connect')).subscribe(() => {
      states.push(socket.readyState);
      texts.push(socket.write('while securing,'));
    });
    socket.pipe(on('secureConnect')).subscribe(() => socket.complete());
    socket.pipe(data()).subscribe({ error: () => {} });
    const { text } = await drained(await server.next());
    await Promise.all(texts);
    expect(states).toEqual(['securing']);
    expect(text).toBe(`${Array.from({ length: 100 }, (_, index) => `${index},`).join('')}while securing,`);
  });
});

test('reports a client without a certificate as not authorized', async () => {
  const { server, port } = await serverOf();
  const peer = nodeClient(port);
  const accepted = nextOf(server);
  await once(peer, 'secureConnect');
  const socket = await accepted;
  expect(await firstValueFrom(socket.pipe(on('secureConnect')))).toMatchObject({ authorized: false, peer: undefined });
  expect(socket.remote).toMatchObject({ address: '127.0.0.1', port: peer.localPort });
});

test('measures the duration from the handshake on', async () => {
  const server = await nodeServer();
  const socket = dial({ port: server.port, keepOpen: true });
  await firstValueFrom(socket.pipe(on('connect')));
  expect(socket.openedAt).toBeUndefined();
  await secured(socket);
  expect(socket.openedAt).toEqual(expect.any(Number));
});

test('does not dial before it is subscribed', async () => {
  const server = await nodeServer();
  const socket = dial({ port: server.port });
  expect(socket.readyState).toBe('idle');
  socket.next('hello');
  expect(socket.readyState).toBe('idle');
  expect(server.raw).toEqual([]);
});

test('speaks only the configured versions', async () => {
  const server = await nodeServer({ ...localhost, maxVersion: 'TLSv1.2' });
  const { error } = await record(dial({ port: server.port, minVersion: 'TLSv1.3' })).ended;
  expect(error).toMatchObject({ name: 'AlertError', code: 'ERR_TLS_ALERT', alert: 'protocol_version', phase: 'open' });
});

test.each([
  [40, 'handshake_failure'],
  [110, 'unsupported_extension'],
  [111, 'certificate_unobtainable'],
  [112, 'unrecognized_name'],
  [113, 'bad_certificate_status_response'],
  [114, 'bad_certificate_hash_value'],
])('reports alert %i as %s', async (number, alert) => {
  const fatal = 2;
  const server = await rawServer((peer) => {
    peer.resume().once('data', () => peer.write(Buffer.of(21, 3, 3, 0, 2, fatal, number)));
  });
  const { error } = await record(dial({ port: server.port })).ended;
  expect(error).toMatchObject({ name: 'AlertError', code: 'ERR_TLS_ALERT', alert, phase: 'open' });
});

test('is created in four ways, in two versions', () => {
  expect(everyCase).toHaveLength(origins.length * versions.length);
});

test('nothing is emitted after an abort in the handshake but the close', async () => {
  const server = await nodeServer();
  const socket = dial({ port: server.port, keyLog: () => socket.error() });
  const { log, ended } = record(socket);
  await ended;
  expect(log).toEqual(['connectionAttempt', 'connect', 'close', 'error:ERR_SOCKET_ABORTED']);
});
