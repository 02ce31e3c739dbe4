// sendFile(): what arrives, how much memory it takes, and what the peer sees when it fails.
import { once } from 'node:events';
import { appendFileSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Duplex } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { data, fromDuplex, on, type SendFileProgress, SocketError, sendFile } from '@rxsock/core';
import { concat, firstValueFrom, lastValueFrom, tap } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { dial, pair, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { listenOn } from '../support/dials.js';
import { fileOf, type Handle, interceptHandles, receive, sentHandles, sha } from '../support/files.js';

const CHUNK = 65_536;

describe('the peer receives', () => {
  test('the whole file, then FIN, with progress from the first byte to the last', async () => {
    const { file, bytes } = await fileOf(10 * CHUNK + 7);
    const { port, next } = await rawServer();
    const { values, log, ended } = record(sendFile(dial({ port }), file, { chunkSize: CHUNK }));
    const received = await receive(await next());

    await ended;
    expect(received.end).toBe('end');
    expect(sha(received.bytes)).toBe(sha(bytes));
    expect(values[0]).toEqual({ bytesSent: 0, bytesTotal: bytes.length });
    expect(values.map(({ bytesSent }) => bytesSent)).toEqual(
      Array.from({ length: 12 }, (_, index) => Math.min(index * CHUNK, bytes.length)),
    );
    expect(log.at(-1)).toBe('complete');
  });

  test('a part of the file from one offset to another', async () => {
    const { file, bytes } = await fileOf(3 * CHUNK);
    const { socket, peer } = await pair();
    const options = { from: 1_000, to: 2 * CHUNK + 1, chunkSize: CHUNK };
    const { values } = record(sendFile(socket, pathToFileURL(file), options));

    const received = await receive(peer);
    expect(received.end).toBe('end');
    expect(received.bytes.equals(bytes.subarray(1_000, 2 * CHUNK + 1))).toBe(true);
    expect(values.at(-1)).toEqual({ bytesSent: 2 * CHUNK - 999, bytesTotal: 2 * CHUNK - 999 });
  });

  test('the rest, if the peer already has a part; an empty rest is a whole transfer', async () => {
    const { file, bytes } = await fileOf(2 * CHUNK);
    const { socket, peer } = await pair();
    const resumed = sendFile(socket, file, { from: CHUNK + 5, end: false });
    const { values } = record(concat(resumed, sendFile(socket, file, { from: 2 * CHUNK })));

    const received = await receive(peer);
    expect(received.end).toBe('end');
    expect(received.bytes.equals(bytes.subarray(CHUNK + 5))).toBe(true);
    expect(values.at(-1)).toEqual({ bytesSent: 0, bytesTotal: 0 });
  });

  test('the rest after another transfer with end: false, and what the peer sends stays for a later reader', async () => {
    const { file, bytes } = await fileOf(CHUNK + 1);
    const { socket, peer } = await pair();
    peer.write('not for you');
    await lastValueFrom(sendFile(socket, file, { end: false }));

    expect(socket.readyState).toBe('open');
    expect(String(await firstValueFrom(socket.pipe(data())))).toBe('not for you');
    const all = receive(peer);
    await lastValueFrom(sendFile(socket, file));
    expect(sha((await all).bytes)).toBe(sha(Buffer.concat([bytes, bytes])));
  });

  test("the whole file after the peer's FIN, whatever allowHalfOpen says, which applies again afterwards", async () => {
    const { file, bytes } = await fileOf(200 * CHUNK);
    const { socket, peer } = await pair({ allowHalfOpen: false, halfOpenTimeout: 0 });
    const closed = lastValueFrom(socket);
    const sending = lastValueFrom(sendFile(socket, file, { chunkSize: CHUNK, end: false }));
    await vi.waitUntil(() => socket.writableLength > 0);
    peer.end();
    await firstValueFrom(socket.pipe(on('end')));
    const received = await receive(peer);

    expect(await sending).toEqual({ bytesSent: bytes.length, bytesTotal: bytes.length });
    expect(received.end).toBe('end');
    expect(sha(received.bytes)).toBe(sha(bytes));
    expect(await closed).toMatchObject({ type: 'close', report: { by: 'peer', how: 'fin', bytesUnsent: 0 } });
  });

  test('nothing before the transfer is subscribed', async () => {
    const { port, peers } = await rawServer();
    const handles = await sentHandles();
    const socket = dial({ port });
    sendFile(socket, '/nowhere');

    await new Promise(setImmediate);
    expect([socket.readyState, peers.length, handles.length]).toEqual(['idle', 0, 0]);
  });
});

describe('memory', () => {
  test('is two chunks, used in turn, however large the file and slow the peer', async () => {
    const { file, bytes } = await fileOf(96 * CHUNK);
    const { spy, original } = await interceptHandles('read');
    const { socket, peer } = await pair();
    const buffers = new Set<unknown>();
    let asked = 0;
    let most = 0;
    spy.mockImplementation(function (this: Handle, ...args: unknown[]) {
      const [buffer, , length] = args as [Buffer, number, number];
      buffers.add(buffer.buffer);
      asked += length;
      most = Math.max(most, asked - socket.bytesWritten);
      return original.apply(this, args as never[]);
    });
    const waiting: number[] = [];
    const write = vi.spyOn(socket, 'next');
    write.mockImplementation((chunk) => {
      waiting.push(socket.writableLength);
      return Object.getPrototypeOf(socket).next.call(socket, chunk);
    });
    const sending = lastValueFrom(sendFile(socket, file, { chunkSize: CHUNK }));
    await vi.waitUntil(() => socket.writableLength > 0);
    const received = await receive(peer);

    await sending;
    expect(sha(received.bytes)).toBe(sha(bytes));
    expect(waiting).toEqual(Array.from({ length: 96 }, () => 0));
    expect(most).toBeLessThanOrEqual(2 * CHUNK);
    // The third read only looks for the end.
    expect(buffers.size).toBe(3);
  });

  test('is not reused if a stream may keep what it was given', async () => {
    const { file, bytes } = await fileOf(10 * CHUNK);
    const kept: Buffer[] = [];
    const duplex = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        kept.push(chunk);
        setImmediate(done);
      },
    });
    await lastValueFrom(sendFile(fromDuplex(duplex), file, { chunkSize: CHUNK }));

    expect(sha(Buffer.concat(kept))).toBe(sha(bytes));
    duplex.destroy();
  });
});

/** Sends a file. Returns the error, what the peer saw, and whether the file was closed by then. */
async function fails(
  file: string | Handle,
  options: Parameters<typeof sendFile>[2],
  onProgress?: (progress: SendFileProgress) => void,
): Promise<{ error: SocketError; end: string; closed: boolean[]; received: number }> {
  const handles = await sentHandles();
  const { socket, peer } = await pair();
  const arriving = receive(peer);
  let closed: boolean[] = [];
  const sending = sendFile(socket, file, options).pipe(
    tap({
      next: (progress) => onProgress?.(progress),
      error: () => {
        closed = handles.map(({ fd }) => fd === -1);
      },
    }),
  );
  const { ended } = record(sending);
  const { error } = await ended;
  const { end, bytes } = await arriving;
  expect(error).toBeInstanceOf(SocketError);
  return { error: error as SocketError, end, closed, received: bytes.length };
}

describe('a problem with the file resets the connection', () => {
  test.each([
    ['a missing file', '/nowhere/at/all', { code: 'ENOENT', message: /nowhere.*check the path/ }, []],
    ['a directory', '/', { code: 'EISDIR', message: /name a file/ }, [true]],
    ['a device', '/dev/null', { code: 'ERR_FILE_NOT_REGULAR', message: /use sendFrom/ }, [true]],
  ])('%s', async (_, file, expected, handles) => {
    const { error, end, closed } = await fails(file, {});
    expect(error).toMatchObject({ phase: 'read', code: expected.code });
    expect(error.message).toMatch(expected.message);
    expect(end).toBe('ECONNRESET');
    expect(closed).toEqual(handles);
  });

  test('a missing file while the socket is dialling: the peer never sees an end', async () => {
    const { port, ends } = await listenOn(0, '127.0.0.6');
    for (let i = 0; i < 30; i++) {
      const { ended } = record(sendFile(dial({ port, host: '127.0.0.6' }), '/nowhere/at/all'));
      expect((await ended).error).toMatchObject({ code: 'ENOENT' });
    }
    expect(await ends()).toMatchObject({ empty: 0, whole: 0 });
  });

  test.each([
    ['from', { from: 11 }],
    ['to', { from: 2, to: 11 }],
  ])('%s beyond the end of the file', async (option, options) => {
    const { file } = await fileOf(10);
    const { error, end, closed } = await fails(file, options);
    expect(error).toMatchObject({ phase: 'read', code: 'ERR_OUT_OF_RANGE' });
    expect(error.message).toContain(`${option} is 11, but the file ends at 10`);
    expect([end, closed]).toEqual(['ECONNRESET', [true]]);
  });

  test('a file that shrinks during the transfer', async () => {
    const { file } = await fileOf(40 * CHUNK);
    const { error, end, closed } = await fails(file, { chunkSize: CHUNK }, ({ bytesSent }) => {
      if (bytesSent === 2 * CHUNK) truncateSync(file, 5 * CHUNK + 1);
    });
    expect(error).toMatchObject({ phase: 'read', code: 'ERR_FILE_SHRANK' });
    expect([end, closed]).toEqual(['ECONNRESET', [true]]);
  });

  test('a file that has shrunk after everything was read', async () => {
    const { file } = await fileOf(CHUNK);
    const { error, end } = await fails(file, { chunkSize: CHUNK }, ({ bytesSent }) => {
      if (bytesSent === CHUNK) truncateSync(file, CHUNK - 1);
    });
    expect([error.code, end]).toEqual(['ERR_FILE_SHRANK', 'ECONNRESET']);
  });

  test.each([0, 3 * CHUNK])('a file of %d bytes that grows', async (size) => {
    const { file } = await fileOf(size);
    const { error, end, closed } = await fails(file, { chunkSize: CHUNK }, ({ bytesSent }) => {
      if (bytesSent === size) appendFileSync(file, '!');
    });
    expect(error).toMatchObject({ phase: 'read', code: 'ERR_FILE_GREW' });
    expect([end, closed]).toEqual(['ECONNRESET', [true]]);
  });

  test('except a file that grows beyond "to"', async () => {
    const { file, bytes } = await fileOf(3 * CHUNK);
    const { socket, peer } = await pair();
    const sending = sendFile(socket, file, { to: 3 * CHUNK, chunkSize: CHUNK });
    const { log } = record(sending.pipe(tap(() => appendFileSync(file, '!'))));
    const received = await receive(peer);
    expect(received.bytes.equals(bytes)).toBe(true);
    expect([received.end, log.at(-1)]).toEqual(['end', 'complete']);
  });

  test('leaves a FileHandle of the caller open, at its position', async () => {
    const { file, bytes } = await fileOf(2 * CHUNK);
    const handle = await open(file);
    try {
      await handle.read(Buffer.alloc(3), 0, 3, null);
      const { error, end } = await fails(handle, { to: 3 * CHUNK });
      expect([error.code, end]).toEqual(['ERR_OUT_OF_RANGE', 'ECONNRESET']);

      const { socket, peer } = await pair();
      const received = receive(peer);
      await lastValueFrom(sendFile(socket, handle));
      expect(sha((await received).bytes)).toBe(sha(bytes));
      const { buffer } = await handle.read(Buffer.alloc(3), 0, 3, null);
      expect(buffer).toEqual(bytes.subarray(3, 6));
    } finally {
      await handle.close();
    }
  });

  test('rejects a FileHandle that is already closed', async () => {
    const handle = await open('/dev/null');
    await handle.close();
    const { error, end } = await fails(handle, {});
    expect([error.code, error.phase, end]).toEqual(['EBADF', 'read', 'ECONNRESET']);
  });
});

describe('a problem with the socket closes the file', () => {
  test('when the peer resets during the transfer', async () => {
    const { file } = await fileOf(200 * CHUNK);
    const handles = await sentHandles();
    const { socket, peer } = await pair();
    const { ended, values } = record(sendFile(socket, file, { chunkSize: CHUNK }));
    peer.once('data', () => peer.resetAndDestroy());
    peer.resume();

    expect((await ended).error).toMatchObject({ name: 'ResetError' });
    expect(values.at(-1)?.bytesSent).toBeLessThan(200 * CHUNK);
    expect(handles.map(({ fd }) => fd)).toEqual([-1]);
  });

  test('when the connection cannot be opened', async () => {
    const { port, close } = await rawServer();
    close();
    const { file } = await fileOf(10);
    const handles = await sentHandles();
    const { ended } = record(sendFile(dial({ port }), file));

    expect((await ended).error).toMatchObject({ name: 'ConnectError', code: 'ECONNREFUSED' });
    expect(handles.map(({ fd }) => fd)).toEqual([-1]);
  });

  test('when it is unsubscribed half-way, which resets the connection', async () => {
    const { file } = await fileOf(200 * CHUNK);
    const handles = await sentHandles();
    const { socket, peer } = await pair();
    const { subscription, values } = record(
      sendFile(socket, file, { chunkSize: CHUNK }).pipe(
        tap(({ bytesSent }) => bytesSent === 3 * CHUNK && queueMicrotask(() => subscription.unsubscribe())),
      ),
    );
    const received = await receive(peer);

    expect(received.end).toBe('ECONNRESET');
    expect(values.at(-1)?.bytesSent).toBeLessThan(200 * CHUNK);
    await vi.waitUntil(() => handles.every(({ fd }) => fd === -1));
  });

  test('when it is unsubscribed while the peer takes nothing', async () => {
    const { file } = await fileOf(200 * CHUNK);
    const handles = await sentHandles();
    const { socket, peer } = await pair();
    const { subscription } = record(sendFile(socket, file, { chunkSize: CHUNK }));
    await vi.waitUntil(() => socket.writableLength > 0);
    subscription.unsubscribe();

    expect((await receive(peer)).end).toBe('ECONNRESET');
    await vi.waitUntil(() => handles.every(({ fd }) => fd === -1));
  });

  test('when someone else has completed the write side', async () => {
    const { file } = await fileOf(10);
    const { socket, peer } = await pair();
    socket.complete();
    await once(peer.resume(), 'end');
    const { ended } = record(sendFile(socket, file));
    expect((await ended).error).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    // Its FIN promised no whole file, so readers continue.
    const answer = firstValueFrom(socket.pipe(data()));
    peer.write('answer');
    expect(String(await answer)).toBe('answer');
  });
});

test('rejects invalid offsets at the call', async () => {
  const directory = await testFolder();
  const { socket } = await pair();
  for (const options of [{ from: -1 }, { from: 1.5 }, { from: 5, to: 4 }, { to: Number.NaN }, { chunkSize: 0 }]) {
    expect(() => sendFile(socket, directory, options)).toThrow(RangeError);
  }
});

test('rejects what is neither the name of a file nor a handle, at the call', async () => {
  const { socket } = await pair();
  for (const file of ['', 'a\0b', null, undefined, 1, Buffer.from('file'), new URL('http://host/file')]) {
    expect(() => sendFile(socket, file as never)).toThrow(TypeError);
  }
});

test('fails if an earlier write aborts the socket at the moment when this one has its turn', async () => {
  const { file } = await fileOf(3_000_000);
  const { socket, peer } = await pair();
  void socket.write(Buffer.alloc(8_000_000)).then(() => socket.next(Buffer.alloc(8_000_000)));
  void socket.write('x').then(() => socket.error());
  const { ended } = record(sendFile(socket, file, { chunkSize: 1_000_000 }));
  await expect.poll(() => socket.writableLength).toBe(9_000_001);
  peer.resume();
  expect((await ended).error).toMatchObject({ code: 'ERR_SOCKET_ABORTED' });
});

test('reads no more at once than Node can, whatever chunkSize says', async () => {
  const size = 3 * 2 ** 30;
  const { file } = await fileOf(0);
  truncateSync(file, size);
  const handle = await open(file);
  const read = vi.spyOn(handle, 'read').mockRejectedValue(new Error('not read here'));
  const { socket } = await pair();
  await record(sendFile(socket, handle, { chunkSize: 2 ** 40 })).ended;
  expect(read.mock.lastCall?.slice(1)).toEqual([0, 2 ** 31 - 1, 0]);
  await handle.close();
});
