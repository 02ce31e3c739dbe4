// Peers that record what they receive, over TCP and over UNIX sockets.
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import { type RecordingPeer, recordingClient, recordingPeer } from '@rxsock/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { turns } from '../../../../tests/support/turns.js';

/** A plain client of a peer. */
function clientOf({ host, port, path }: RecordingPeer): net.Socket {
  const target = path ? { path } : { host, port };
  const client = net.connect({ ...target, allowHalfOpen: true }).on('error', () => {});
  onTestFinished(() => void client.destroy());
  return client;
}

describe.each(['tcp', 'unix'] as const)('over %s', (transport) => {
  async function connected() {
    const peer = await recordingPeer({ transport });
    onTestFinished(() => peer.close());
    const client = clientOf(peer);
    await once(client, 'connect');
    return { peer, client, connection: await peer.next() };
  }

  test('a peer records the bytes and the FIN, and answers when it is told to', async () => {
    const { client, connection } = await connected();
    expect(connection.end).toBe(undefined);
    client.write('hel');
    expect(String(await connection.receivedBytes(3))).toBe('hel');
    client.end('lo');
    expect(await connection.ended()).toBe('fin');
    expect([String(connection.received), connection.end]).toEqual(['hello', 'fin']);
    const answer = client.toArray();
    connection.send('one, ');
    connection.send(Buffer.from('two'));
    connection.finish();
    expect(Buffer.concat(await answer).toString()).toBe('one, two');
    await once(client, 'close');
  });

  test('a connection that both sides have finished leaves no handle behind', async () => {
    const handles = () => process.getActiveResourcesInfo().filter((name) => /^(TCPSocket|Pipe)Wrap$/.test(name)).length;
    const { client, connection } = await connected();
    const open = handles();
    client.end();
    await connection.ended();
    connection.finish();
    await once(client.resume(), 'close');
    await expect.poll(handles).toBeLessThanOrEqual(open - 2);
  });

  test('a connection that its peer has finished first still records', async () => {
    const { client, connection } = await connected();
    connection.finish();
    await once(client.resume(), 'end');
    client.end('late');
    expect(await connection.ended()).toBe('fin');
    expect(String(connection.received)).toBe('late');
  });

  test('while it is paused it records nothing, and the other side must wait', async () => {
    const { client, connection } = await connected();
    connection.pause();
    const bytes = Buffer.alloc(8 << 20, 'x');
    let written = false;
    client.end(bytes, () => {
      written = true;
    });
    await turns();
    expect([connection.received.length, connection.end, written]).toEqual([0, undefined, false]);
    connection.resume();
    expect(await connection.ended()).toBe('fin');
    expect(connection.received.equals(bytes)).toBe(true);
  });

  test('a FIN that comes while it is paused is recorded when it reads on', async () => {
    const { client, connection } = await connected();
    connection.pause();
    client.end();
    await turns();
    expect(connection.end).toBe(undefined);
    connection.resume();
    expect(await connection.ended()).toBe('fin');
  });

  test('waiting for bytes that never come rejects at the end', async () => {
    const { client, connection } = await connected();
    client.end('ab');
    await expect(connection.receivedBytes(3)).rejects.toThrow('the connection ended (fin) after 2 bytes');
  });

  test('a client does the same for a server', async () => {
    const { peer } = await connected();
    const client = await recordingClient(peer.path ? { path: peer.path } : { port: peer.port });
    const served = await peer.next();
    client.send('ping');
    expect(String(await served.receivedBytes(4))).toBe('ping');
    served.send('pong');
    served.finish();
    expect(await client.ended()).toBe('fin');
    expect(String(client.received)).toBe('pong');
    client.finish();
    expect(await served.ended()).toBe('fin');
    expect(peer.connections).toHaveLength(2);
  });

  test('close() ends everything and leaves nothing behind', async () => {
    const { peer, client, connection } = await connected();
    const waiting = expect(peer.next()).rejects.toThrow('closed before');
    client.resume();
    const closed = new Promise((resolve) => client.on('close', resolve));
    client.on('end', () => client.end());
    await peer.close();
    await closed;
    expect(connection.end).toBe('local');
    await waiting;
    if (peer.path) expect(fs.existsSync(dirname(peer.path))).toBe(false);
    await peer.close();
  });
});

test.each([1, 2, 3, 4, 5])('a reset after bytes is a reset, and never a FIN (%i)', async () => {
  await using peer = await recordingPeer();
  const client = clientOf(peer);
  client.write('part', () => client.resetAndDestroy());
  const connection = await peer.next();
  expect(await connection.ended()).toBe('reset');
});

test('reset() is a reset at the other side', async () => {
  const server = await rawServer();
  const client = await recordingClient({ port: server.port });
  const peer = await server.next();
  const error = new Promise((resolve) => peer.resume().once('error', resolve));
  client.reset();
  expect(await error).toMatchObject({ code: 'ECONNRESET' });
  expect(client.end).toBe('local');
});

test('a server that is not there is a rejection', async () => {
  await expect(recordingClient({ path: '/nowhere/socket' })).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a client takes an address in brackets, as others do', async () => {
  const server = net.createServer((peer) => void peer.resume()).listen(0, '::1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const client = await recordingClient({ host: '[::1]', port: (server.address() as net.AddressInfo).port });
  client.finish();
  expect(await client.ended()).toBe('fin');
});

test.each([-1, Number.NaN, '3', undefined])('receivedBytes(%s) is rejected', async (length) => {
  await using peer = await recordingPeer();
  const client = await recordingClient({ port: peer.port });
  await expect(client.receivedBytes(length as never)).rejects.toThrow(/^length must be/);
  client.reset();
});
