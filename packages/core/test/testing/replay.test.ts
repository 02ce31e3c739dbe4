// replay(): what one side of a capture has sent, sent again.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connect, data, listen, on, type Socket, serve, writeTo } from '@rxsock/core';
import { capture } from '@rxsock/core/capture';
import { type ReplayOptions, recordingClient, replay, socketPair, VirtualClock } from '@rxsock/core/testing';
import fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkProperty } from '../../../../tests/support/property.js';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import type { TcpRecorder } from '../../src/capture/tcp-recorder.js';
import { memoryCapture } from '../pcapng/support.js';

/** Writes a capture with one connection. A packet comes every millisecond. */
async function captured(tell: (connection: TcpRecorder) => void, edit = (file: Buffer) => file): Promise<string> {
  const memory = memoryCapture();
  tell(memory.connection());
  const [file] = await memory.close();
  const name = path.join(await testFolder(), 'recorded.pcapng');
  await writeFile(name, edit(file!));
  return name;
}

const talk = (connection: TcpRecorder) => {
  connection.data('server', Buffer.from('220 hello\r\n'));
  connection.data('client', Buffer.from('EHLO me\r\n'));
  connection.data('server', Buffer.from('250-one\r\n'));
  connection.data('server', Buffer.from('250 two\r\n'));
  connection.data('client', Buffer.from('QUIT\r\n'));
  connection.end('client');
  connection.data('server', Buffer.from('221 bye\r\n'));
  connection.end('server');
};

/** Plays a side in virtual time. */
function play(side: Awaited<ReturnType<typeof replay>>) {
  const clock = new VirtualClock();
  const [client, peer] = socketPair({ scheduler: clock, allowHalfOpen: true });
  const played = record(side(peer).pipe(writeTo(peer)));
  const seen: { at: number; text: string }[] = [];
  const ended = record(client.pipe(data()));
  client.pipe(on('data')).subscribe({
    next: ({ data }) => seen.push({ at: clock.now(), text: data.toString() }),
    error: () => {},
  });
  return { clock, client, peer, seen, log: ended.log, played };
}

describe('a replay', () => {
  test('sends what was recorded, with its pauses, when the other side has sent as much as it had', async () => {
    const { clock, client, seen, log } = play(await replay(await captured(talk), { side: 'server' }));
    clock.tick(100);
    expect(seen).toEqual([{ at: 3, text: '220 hello\r\n' }]);
    client.next('EHLO ');
    clock.tick(100);
    client.next('me\r\n');
    clock.tick(100);
    expect(seen.slice(1)).toEqual([
      { at: 201, text: '250-one\r\n' },
      { at: 202, text: '250 two\r\n' },
    ]);
    client.next('QUIT\r\n');
    clock.tick(100);
    expect(seen).toHaveLength(3);
    client.complete();
    clock.tick(100);
    expect(seen.slice(3)).toEqual([{ at: 401, text: '221 bye\r\n' }]);
    expect(log.at(-1)).toBe('complete');
  });

  test('plays the client too', async () => {
    const { clock, client, seen, log } = play(await replay(await captured(talk), { side: 'client' }));
    client.next('220 hello\r\n');
    clock.tick(10);
    client.next('250-one\r\n250 two\r\n');
    clock.tick(10);
    expect(seen.map(({ text }) => text)).toEqual(['EHLO me\r\n', 'QUIT\r\n']);
    expect(log.at(-1)).toBe('complete');
  });

  test('goes on when the other side ends before it has sent as much', async () => {
    const { clock, client, seen } = play(await replay(await captured(talk), { side: 'server' }));
    client.complete();
    clock.tick(100);
    expect(seen.map(({ text }) => text).join('')).toBe('220 hello\r\n250-one\r\n250 two\r\n221 bye\r\n');
  });

  test('aborts where the recorded side has aborted', async () => {
    const file = await captured((connection) => {
      connection.data('server', Buffer.from('half'));
      connection.reset('server', 'gone');
    });
    const { clock, log, played } = play(await replay(file, { side: 'server' }));
    clock.tick(100);
    expect(log).toEqual(['half', 'error:ECONNRESET']);
    expect(played.log.at(-1)).toBe('error:ERR_SOCKET_ABORTED');
  });

  test('waits for the end of its peer where the recording ends before the connection', async () => {
    const file = await captured((connection) => connection.data('server', Buffer.from('hello')));
    const { clock, client, log } = play(await replay(file, { side: 'server' }));
    clock.tick(1000);
    expect(log).toEqual(['hello']);
    client.complete();
    clock.tick(1000);
    expect(log).toEqual(['hello', 'complete']);
  });

  test('waits for a peer that does not read', async () => {
    const file = await captured((connection) => {
      for (let index = 0; index < 100; index++) connection.data('server', Buffer.alloc(65_536));
      connection.end('server');
    });
    const server = await replay(file, { side: 'server', timing: 'immediate' });
    const clock = new VirtualClock();
    const [client, peer] = socketPair({ scheduler: clock });
    server(peer).pipe(writeTo(peer)).subscribe();
    const release = client.hold();
    const { values, log } = record(client.pipe(data()));
    clock.tick(1000);
    expect(peer.writableLength).toBeLessThan(200_000);
    release();
    clock.tick(1000);
    expect(Buffer.concat(values).length).toBe(100 * 65_536);
    expect(log.at(-1)).toBe('complete');
  });

  test('is a handler of serve(), and plays again for every connection', async () => {
    const server = listen();
    server.pipe(serve(await replay(await captured(talk), { side: 'server' }))).subscribe();
    onTestFinished(() => server.close({ drain: 0 }));
    const { address } = await firstValueFrom(server.pipe(on('listening')));
    for (let index = 0; index < 2; index++) {
      const client = await recordingClient({ port: address.port });
      expect((await client.receivedBytes(11)).toString()).toBe('220 hello\r\n');
      client.send('EHLO me\r\nQUIT\r\n');
      client.finish();
      expect(await client.ended()).toBe('fin');
      expect(client.received.toString()).toBe('220 hello\r\n250-one\r\n250 two\r\n221 bye\r\n');
    }
  });

  test('is the peer of the client that was captured', async () => {
    const file = path.join(await testFolder(), 'echo.pcapng');
    const echo = listen();
    echo.pipe(serve((socket) => socket.pipe(data()))).subscribe();
    onTestFinished(() => echo.close({ drain: 0 }));
    const { address } = await firstValueFrom(echo.pipe(on('listening')));
    /** A client that sends the next word when it has received the last one. */
    const converse = (socket: Socket) => {
      const words = ['one', 'two', 'three'];
      const received = record(socket.pipe(data()));
      socket.next(words.shift()!);
      socket.pipe(on('data')).subscribe(() => {
        const word = words.shift();
        if (word) socket.next(word);
        else socket.complete();
      });
      return received;
    };
    await using trace = await capture('all', file);
    const live = converse(connect({ port: address.port }));
    await live.ended;
    await trace.close();

    const [client, peer] = socketPair({ allowHalfOpen: true });
    const server = await replay(file, { side: 'server' });
    server(peer).pipe(writeTo(peer)).subscribe();
    const again = converse(client);
    await again.ended;
    expect(again.log).toEqual(live.log);
  });
});

describe('chunks and pauses from a seed', () => {
  /** What arrives at the peer of the server of `talk`, and when. */
  const arrivals = (side: Awaited<ReturnType<typeof replay>>) => {
    const { clock, client, seen } = play(side);
    client.next('EHLO me\r\nQUIT\r\n');
    client.complete();
    clock.tick(10_000);
    return seen;
  };

  test('give the same bytes in other chunks, and the same again for the same seed', async () => {
    const file = await captured(talk);
    const whole = '220 hello\r\n250-one\r\n250 two\r\n221 bye\r\n';
    const all = await Promise.all(
      [1, 1, 2, 3].map(async (seed) =>
        arrivals(await replay(file, { side: 'server', chunking: { seed }, timing: { seed } })),
      ),
    );
    for (const seen of all) expect(seen.map(({ text }) => text).join('')).toBe(whole);
    expect(all[1]).toEqual(all[0]);
    expect(new Set(all.map((seen) => JSON.stringify(seen))).size).toBe(3);
    expect(Math.max(...all.map((seen) => seen.at(-1)!.at))).toBeGreaterThan(1);
  });

  test('never let an answer come before its question, whatever they are', async () => {
    const file = await captured(talk);
    await checkProperty(
      fc.asyncProperty(
        fc.integer(),
        fc.constantFrom<ReplayOptions['timing']>('recorded', 'immediate', { seed: 1 }),
        fc.nat(8),
        async (seed, timing, asked) => {
          const { clock, client, seen } = play(await replay(file, { side: 'server', chunking: { seed }, timing }));
          client.next('EHLO me\r\n'.slice(0, asked));
          clock.tick(1000);
          expect(seen.map(({ text }) => text).join('')).toBe('220 hello\r\n');
        },
      ),
      { numRuns: 30 },
    );
  });

  test('join what came in several chunks, unless the pauses are those that were recorded', async () => {
    const file = await captured((connection) => {
      for (let index = 0; index < 200; index++) connection.data('server', Buffer.from('x'));
    });
    const chunksOf = async (options: Omit<ReplayOptions, 'side'>) => {
      const { clock, seen } = play(await replay(file, { side: 'server', ...options }));
      clock.tick(10_000);
      return seen;
    };
    expect(await chunksOf({ chunking: { seed: 1 } })).toHaveLength(200);
    const joined = await chunksOf({ chunking: { seed: 1 }, timing: { seed: 1 } });
    expect(joined.map(({ text }) => text).join('')).toBe('x'.repeat(200));
    expect(Math.max(...joined.map(({ text }) => text.length))).toBeGreaterThan(10);
  });
});

describe('a capture that cannot be played', () => {
  test.each([
    [
      'without the connection',
      { connection: 1 },
      undefined,
      'ERR_REPLAY_NO_CONNECTION',
      /has no connection 1: it has 1/,
    ],
    [
      'that is not pcapng',
      {},
      () => Buffer.from('a1b2c3d4000200040000'.repeat(2), 'hex'),
      'ERR_FRAME_MALFORMED',
      /pcap file/,
    ],
    ['that is empty', {}, () => Buffer.alloc(0), 'ERR_REPLAY_NO_CONNECTION', /it has 0/],
  ])('%s rejects', async (_, options, edit, code, message) => {
    const promise = replay(await captured(talk, edit), { side: 'server', ...options });
    await expect(promise).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('that lacks bytes of the side rejects, and the other side can be played', async () => {
    const memory = memoryCapture({ maxBytes: 131_072, files: 2 });
    const connection = memory.connection();
    connection.data('client', Buffer.from('hello'));
    connection.data('server', Buffer.from('one'));
    const { room } = memory.output;
    memory.output.room = () => undefined;
    connection.data('server', Buffer.from('lost'));
    memory.output.room = room;
    connection.data('server', Buffer.from('two'));
    const [bytes] = await memory.close();
    const file = path.join(await testFolder(), 'gap.pcapng');
    await writeFile(file, bytes!);
    await expect(replay(file, { side: 'server' })).rejects.toMatchObject({
      code: 'ERR_REPLAY_INCOMPLETE',
      message: 'The capture lacks 4 bytes that the server sent after its first 3',
    });
    await replay(file, { side: 'client' });
  });

  test('that does not exist rejects with the code of Node', async () => {
    await expect(replay('/nowhere/x.pcapng', { side: 'client' })).rejects.toMatchObject({
      code: 'ENOENT',
      phase: 'read',
    });
  });

  test('that ends inside a block is played as far as it goes', async () => {
    const file = await captured(talk, (bytes) => bytes.subarray(0, -200));
    const { clock, client, seen } = play(await replay(file, { side: 'server' }));
    client.next('EHLO me\r\nQUIT\r\n');
    clock.tick(100);
    expect(seen.map(({ text }) => text)).toEqual(['220 hello\r\n', '250-one\r\n', '250 two\r\n']);
  });
});
