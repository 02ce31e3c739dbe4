// The scripted peer does what it says, and our sockets take it for what it is.
import { connect, on, ResetError, type Socket, SocketError } from '@rxsock/core';
import { connect as connectTls } from '@rxsock/tls';
import { connect as connectUnix } from '@rxsock/unix';
import { filter, firstValueFrom, startWith } from 'rxjs';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { expectSame, MORE_THAN_KERNEL_BUFFERS } from '../compliance/support/bytes.js';
import { recordStory } from '../compliance/support/story.js';
import { cert } from '../support/certificate.js';
import { beforeAllWithPrograms } from '../support/need-program.js';
import {
  pattern,
  patternBytes,
  type ScriptedConnection,
  type ScriptedPeer,
  type ScriptedPeerOptions,
  scriptedPeer,
} from '../support/peers/scripted-peer.js';
import { Program } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { turns } from '../support/turns.js';

interface Kind {
  readonly name: string;
  options(folder: string): ScriptedPeerOptions;
  dial(port: number, path?: string): Socket;
}

const common = { allowHalfOpen: true, keepOpen: true, host: '127.0.0.1' };
const overTls = { ...common, ca: cert, verifyHost: 'localhost' };

const kinds: readonly Kind[] = [
  { name: 'TCP', options: () => ({}), dial: (port) => connect({ ...common, port }) },
  { name: 'TLS 1.2', options: () => ({ tls: '1.2' }), dial: (port) => connectTls({ ...overTls, port }) },
  { name: 'TLS 1.3', options: () => ({ tls: '1.3' }), dial: (port) => connectTls({ ...overTls, port }) },
  {
    name: 'UNIX',
    options: (folder) => ({ path: `${folder}/socket` }),
    dial: (_, path = '') => connectUnix({ allowHalfOpen: true, keepOpen: true, path }),
  },
];

/** Waits until the connection has seen something. */
async function seen(peer: ScriptedConnection, condition: (peer: ScriptedConnection) => boolean): Promise<void> {
  await firstValueFrom(
    peer.changes.pipe(
      startWith(undefined),
      filter(() => condition(peer)),
    ),
  );
}

describe.each(kinds)('over $name', (kind) => {
  const isUnix = kind.name === 'UNIX';

  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: ScriptedPeer;
  let dial: () => Socket;

  beforeAllWithPrograms(async () => {
    folder = await temporaryFolder();
    const options = kind.options(folder.path);
    server = await scriptedPeer(options);
    dial = () => kind.dial(server.port, options.path);
  });
  afterAll(async () => {
    await server?.close();
    await folder[Symbol.asyncDispose]();
  });

  async function start() {
    const socket = dial();
    onTestFinished(() => socket.error());
    const heard = recordStory(socket);
    const opened = firstValueFrom(socket.readyStates.pipe(filter((state) => state === 'open')));
    const [peer] = await Promise.all([server.accept(), opened]);
    return { socket, heard, peer };
  }

  test('the peer counts what arrives, and each side ends on its own', async () => {
    const { socket, heard, peer } = await start();
    socket.next(patternBytes(0, 1_000_000));
    await socket.write(patternBytes(1_000_000, 3_000_000));
    socket.complete();
    await seen(peer, ({ ended }) => ended !== undefined);
    expect(peer).toMatchObject({ received: 3_000_000, mismatch: undefined, ended: 'fin' });
    peer.send(patternBytes(0, 200_000));
    peer.send(patternBytes(200_000, 500_000));
    peer.end();
    const { story, bytes } = await heard.ended;
    expectSame(bytes, patternBytes(0, 500_000));
    expect(story.filter((event) => event !== 'drain')).toEqual(['finish', 'data', 'end', 'close', 'complete']);
  });

  test('after its own end the peer reads on', async () => {
    const { socket, heard, peer } = await start();
    peer.end();
    await firstValueFrom(socket.pipe(on('end')));
    await socket.write(patternBytes(0, 500_000));
    socket.complete();
    await seen(peer, ({ ended }) => ended !== undefined);
    expect(peer).toMatchObject({ received: 500_000, ended: 'fin' });
    expect((await heard.ended).story.at(-1)).toBe('complete');
  });

  test('the peer names the first byte that is wrong, and counts no further', async () => {
    const { socket, peer } = await start();
    const wrong = patternBytes(0, 300_000);
    wrong[200_005] = ~(wrong[200_005] as number);
    await socket.write(wrong);
    await seen(peer, ({ mismatch }) => mismatch !== undefined);
    socket.complete();
    await seen(peer, ({ ended }) => ended !== undefined);
    expect(peer).toMatchObject({ received: 200_005, mismatch: 200_005, ended: 'fin' });
  });

  test('a stalled peer takes nothing more, and goes on where it was', async () => {
    const { socket, peer } = await start();
    await socket.write(patternBytes(0, 1000));
    await seen(peer, ({ received }) => received === 1000);
    peer.stall();
    // The process obeys in order: the bytes are there, so it has stopped reading.
    peer.send(Buffer.from('stalled'));
    await firstValueFrom(socket.pipe(filter(({ type }) => type === 'data')));
    for (let at = 1000; at < MORE_THAN_KERNEL_BUFFERS; at += 1_000_000) socket.next(patternBytes(at, at + 1_000_000));
    socket.complete();
    await turns();
    expect(peer.received).toBe(1000);
    expect(socket.writableLength).toBeGreaterThan(1_000_000);
    peer.resume();
    await seen(peer, ({ ended }) => ended !== undefined);
    expect(peer).toMatchObject({ received: MORE_THAN_KERNEL_BUFFERS + 1000, mismatch: undefined, ended: 'fin' });
  });

  test('a reset of the peer is an error here, and never an end', async () => {
    const { socket, heard, peer } = await start();
    peer.send(patternBytes(0, 5000));
    peer.reset();
    if (isUnix) return void (await firstValueFrom(socket.pipe(on('end'))));
    const { story, error } = await heard.ended;
    expect(story).not.toContain('end');
    expect(error).toBeInstanceOf(kind.name === 'TCP' ? ResetError : SocketError);
  });

  test('an abort of ours ends the peer with a reset', async () => {
    const { socket, peer } = await start();
    await socket.write(patternBytes(0, 5000));
    await seen(peer, ({ received }) => received === 5000);
    socket.error();
    await seen(peer, ({ ended }) => ended !== undefined);
    expect(peer).toMatchObject({ received: 5000, ended: isUnix ? 'fin' : 'reset' });
  });

  test('one process serves many connections, each on its own', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, start));
    const total = all.map(async ({ socket, peer }, index) => {
      await socket.write(patternBytes(0, 1000 + index));
      socket.complete();
      await seen(peer, ({ ended }) => ended !== undefined);
      peer.end();
      return peer.received;
    });
    const received = (await Promise.all(total)).reduce((sum, each) => sum + each, 0);
    expect(received).toBe(50 * 1000 + (49 * 50) / 2);
    for (const { heard } of all) expect((await heard.ended).story.at(-1)).toBe('complete');
  });
});

test('a TLS stream without close_notify counts as reset', async () => {
  const server = await scriptedPeer({ tls: '1.3' });
  onTestFinished(() => server.close());
  await using client = new Program('openssl', ['s_client', '-quiet', '-connect', `127.0.0.1:${server.port}`]);
  client.stdin.write(patternBytes(0, 100));
  const peer = await server.accept();
  await seen(peer, ({ received }) => received === 100);
  client.kill('SIGKILL');
  await seen(peer, ({ ended }) => ended !== undefined);
  expect(peer.ended).toBe('reset');
});

test('close() ends the process and every connection, and rejects who waits for one', async () => {
  const server = await scriptedPeer();
  const socket = connect({ port: server.port, keepOpen: true });
  const heard = recordStory(socket);
  const peer = await server.accept();
  const next = server.accept();
  await server.close();
  await expect(next).rejects.toThrow('has ended');
  await expect(server.accept()).rejects.toThrow('has ended');
  expect(await firstValueFrom(peer.changes, { defaultValue: 'complete' })).toBe('complete');
  expect((await heard.ended).story.slice(-2)).toEqual(['close', 'complete']);
});

test('the expected stream is the pattern again and again', () => {
  const bytes = patternBytes(pattern.length - 3, 2 * pattern.length + 2);
  expect(bytes.subarray(0, 3)).toEqual(Buffer.from(pattern.subarray(-3)));
  expectSame(bytes.subarray(3, -2), pattern);
  expect(bytes.subarray(-2)).toEqual(Buffer.from(pattern.subarray(0, 2)));
});
