// sendFile(): sends a file, or a part of it, with two chunks of memory.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Observable } from 'rxjs';
import { SocketError } from '../base/errors.js';
import type { EndOptions } from '../operators/write-to.js';
import { connectionOf, type Socket } from '../socket.js';
import { fileError } from './file-error.js';
import { transfer } from './transfer.js';

/** Options of {@link sendFile}. */
export interface SendFileOptions extends EndOptions {
  /** The offset of the first byte to send: what the peer already has, to resume. @defaultValue 0 */
  readonly from?: number;
  /** The offset at which to stop; that byte is not sent. @defaultValue the size of the file when it is opened */
  readonly to?: number;
  /** How many bytes to read at a time; two such buffers are all the memory it takes. @defaultValue 1,048,576 */
  readonly chunkSize?: number;
}

/** How far a file is sent. */
export interface SendFileProgress {
  /** Bytes of this transfer handed to the kernel so far. */
  readonly bytesSent: number;
  /** Bytes there are to send in all: `to - from`. */
  readonly bytesTotal: number;
}

/**
 * Sends a file. Emits progress: once before the first byte, and after every chunk. Nothing happens before it is subscribed
 * to; then it dials if need be, and keeps the socket open without reading it.
 *
 * Half-close: when all is sent, the write side completes, and this once FIN is out; with `end: false` once all is handed
 * to the kernel. The peer's FIN does not cut it, whatever `allowHalfOpen` says. Whatever fails, and unsubscribing before
 * the end, aborts the connection, so that the peer cannot take a part for the whole; the file is closed before the error
 * is told. A `FileHandle` of yours stays open, and its position unchanged. Backpressure: a chunk is read while the one
 * before it is being written, and no further; memory does not grow with the file.
 *
 * A file that is shorter than when it was opened is an error, and so is one that is longer, since the part which was sent
 * may end anywhere; to send from a file that grows, say where `to` stop.
 *
 * @throws RangeError at the call for offsets or a `chunkSize` that mean nothing. As notifications: {@link SocketError}
 * with phase `read` for the file, with Node's code (`ENOENT`, `EACCES`, `EISDIR`, …) or `ERR_FILE_SHRANK`,
 * `ERR_FILE_GREW`, `ERR_FILE_NOT_REGULAR`, `ERR_OUT_OF_RANGE` (an offset beyond its end); what the socket fails with.
 *
 * @example
 * ```ts
 * import { connect, sendFile } from '@rxsock/core';
 *
 * sendFile(connect({ port: 9000 }), 'big.iso').subscribe({
 *   next: ({ bytesSent, bytesTotal }) => console.log(`${bytesSent} of ${bytesTotal} bytes`),
 *   error: console.error,
 * });
 * ```
 */
export function sendFile(
  socket: Socket,
  file: string | URL | FileHandle,
  { from = 0, to, chunkSize = 1_048_576, end = true }: SendFileOptions = {},
): Observable<SendFileProgress> {
  checkOffset('from', from, 0);
  if (to !== undefined) checkOffset('to', to, from);
  checkOffset('chunkSize', chunkSize, 1);
  const given = typeof file === 'string' || file instanceof URL ? undefined : file;
  const name = given ? 'the file' : String(file);

  return transfer<SendFileProgress>(socket, end, async ({ write }, emit) => {
    const disk = <T>(act: Promise<T>) =>
      act.catch((error) => {
        throw fileError('read', name, error);
      });
    // Not waiting for a writer, should it be a pipe: such a file is refused below.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
    const handle = given ?? (await disk(open(file as string | URL, flags)));
    try {
      const stop = stopOf(await disk(handle.stat()), { name, from, to });
      const bytesTotal = stop - from;
      const memory = memoryFor(Math.min(chunkSize, bytesTotal), connectionOf(socket).copiesWrites);
      let written: Promise<void> | undefined;
      emit({ bytesSent: 0, bytesTotal });
      for (let at = from; at < stop; ) {
        const buffer = memory();
        const { bytesRead } = await disk(handle.read(buffer, 0, Math.min(buffer.length, stop - at), at));
        if (bytesRead === 0) throw shrank(name, stop);
        at += bytesRead;
        const bytesSent = at - from;
        await written;
        written = write(buffer.subarray(0, bytesRead)).then(() => emit({ bytesSent, bytesTotal }));
        // The next read may fail first.
        written.catch(() => {});
      }
      await written;
      // One byte before the end and one after it: not even a file whose size is not what it says passes for whole.
      const last = Math.max(0, stop - 1);
      const { bytesRead } = await disk(handle.read(Buffer.alloc(2), 0, stop + 1 - last, last));
      if (bytesRead < stop - last) throw shrank(name, stop);
      if (bytesRead > stop - last && to === undefined) throw grew(name, stop);
    } finally {
      if (!given) await handle.close().catch(() => {});
    }
  });
}

/** Buffers of `size` bytes: two in turn where what is written is copied, else a new one each time. */
function memoryFor(size: number, recycle: boolean): () => Buffer {
  if (!recycle) return () => Buffer.allocUnsafeSlow(size);
  const buffers: Buffer[] = [];
  let turn = 0;
  return () => {
    turn = 1 - turn;
    buffers[turn] ??= Buffer.allocUnsafeSlow(size);
    return buffers[turn] as Buffer;
  };
}

function stopOf(
  stats: { isFile(): boolean; isDirectory(): boolean; readonly size: number },
  { name, from, to }: { readonly name: string; readonly from: number; readonly to: number | undefined },
): number {
  if (stats.isDirectory()) {
    throw fileError(
      'read',
      name,
      Object.assign(new Error('EISDIR: illegal operation on a directory'), { code: 'EISDIR' }),
    );
  }
  if (!stats.isFile()) {
    const message = `Cannot send ${name}: it is not a regular file, so nobody knows its size (use sendFrom() with a stream)`;
    throw new SocketError(message, { code: 'ERR_FILE_NOT_REGULAR', phase: 'read' });
  }
  const stop = to ?? stats.size;
  if (stop <= stats.size && from <= stop) return stop;
  const [option, value] = from > stats.size ? ['from', from] : ['to', to];
  const message = `Cannot send ${name}: ${option} is ${value}, and the file ends at ${stats.size} (is it the one you mean?)`;
  throw new SocketError(message, { code: 'ERR_OUT_OF_RANGE', phase: 'read' });
}

function shrank(name: string, stop: number): SocketError {
  const message = `${name} shrank to less than the ${stop} bytes that were to be sent: send a file that nobody writes to, or a copy`;
  return new SocketError(message, { code: 'ERR_FILE_SHRANK', phase: 'read' });
}

function grew(name: string, stop: number): SocketError {
  const message = `${name} grew beyond the ${stop} bytes that it had: give "to" to send only a part of a file that grows`;
  return new SocketError(message, { code: 'ERR_FILE_GREW', phase: 'read' });
}

function checkOffset(option: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(`${option} must be a whole number from ${least} up, not ${value}`);
}
