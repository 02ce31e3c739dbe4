// sendFile(): sends a file, or a part of it, with two chunks of memory.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Observable } from 'rxjs';
import { checkBoolean, checkFiniteSize, checkInteger, checkOptions } from '../base/check.js';
import { SocketError } from '../base/errors.js';
import { handled } from '../base/handled.js';
import { controlOf, type Socket } from '../socket.js';
import { checkFile, directoryError, fileError } from './file-error.js';
import { transfer } from './transfer.js';
import type { EndOptions } from './whole-write.js';

/** Node reads at most so many bytes at once. */
const MOST_AT_ONCE = 2 ** 31 - 1;

/** Options of {@link sendFile}. */
export interface SendFileOptions extends EndOptions {
  /**
   * The offset of the first byte to send. To resume, how many bytes the peer has: the first value of its `saveTo()`.
   * @defaultValue 0
   */
  readonly from?: number | undefined;
  /** The offset to stop at: the byte there is not sent. @defaultValue the size of the file when it is opened */
  readonly to?: number | undefined;
  /**
   * How many bytes are read at a time, and never more than 2,147,483,647. Two such buffers are all the memory that a
   * transfer uses.
   * @defaultValue 1,048,576
   */
  readonly chunkSize?: number | undefined;
}

/** The progress of {@link sendFile}. */
export interface SendFileProgress {
  /** How many bytes of this transfer were handed to the kernel so far. */
  readonly bytesSent: number;
  /** How many bytes there are to send: `to - from`. */
  readonly bytesTotal: number;
}

/**
 * Sends a file, or a part of it. Emits the progress once before the first byte, and after every chunk. The subscription
 * starts it, dials if nothing has dialled yet, and keeps the socket open without reading it.
 *
 * A file that shrinks or grows during the transfer is an error, because the part that was sent may end anywhere. To
 * send from a file that grows, set `to`. A `FileHandle` that you pass stays open, and its position does not change.
 *
 * **Half-close**: when everything was sent, the write side completes, and the result completes when FIN was sent; with
 * `end: false`, when everything was handed to the kernel. The peer's FIN does not stop the transfer, whatever
 * `allowHalfOpen` says. Any failure, and unsubscribing before the end, aborts the connection, so that the peer cannot
 * take a part for the whole. The file is closed before the error is emitted.
 *
 * **Backpressure**: one chunk is read while the chunk before it is written, and no more. Memory does not grow with the
 * file.
 *
 * @throws At the call: TypeError or RangeError for an invalid argument, offset or `chunkSize`.
 * @throws As a notification: {@link SocketError} with phase `read` for the file, with Node's code (`ENOENT`, `EACCES`,
 * `EISDIR`, …) or `ERR_FILE_SHRANK`, `ERR_FILE_GREW`, `ERR_FILE_NOT_REGULAR`, `ERR_OUT_OF_RANGE` (an offset beyond the
 * end); what the socket fails with; `ERR_STREAM_WRITE_AFTER_END` after `complete()`, `ERR_STREAM_PREMATURE_CLOSE` if
 * the socket closes before everything was written.
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
  options: SendFileOptions = {},
): Observable<SendFileProgress> {
  controlOf(socket);
  checkOptions(options, '{ from: 1024 }');
  const { from = 0, to, chunkSize = 1_048_576, end = true } = options;
  const source = checkFile(file);
  checkInteger('from', from, 0);
  if (to !== undefined) checkInteger('to', to, from);
  checkFiniteSize('chunkSize', chunkSize);
  checkBoolean('end', end);
  const given = typeof source === 'string' ? undefined : source;
  const name = typeof source === 'string' ? source : 'the file';

  return transfer<SendFileProgress>(socket, end, async (running, emit) => {
    const onDisk = <T>(operation: Promise<T>) =>
      operation.catch((error) => {
        throw fileError('read', name, error);
      });
    // O_NONBLOCK: opening a named pipe would wait for its writer. A pipe is refused below.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
    const handle = given ?? (await onDisk(open(name, flags)));
    try {
      const stop = endOffset(await onDisk(handle.stat()), { name, from, to });
      const bytesTotal = stop - from;
      const nextBuffer = buffersOf(Math.min(chunkSize, bytesTotal, MOST_AT_ONCE), controlOf(socket).copiesWrites);
      let written: Promise<void> | undefined;
      emit({ bytesSent: 0, bytesTotal });
      for (let at = from; at < stop; ) {
        const buffer = nextBuffer();
        const { bytesRead } = await onDisk(handle.read(buffer, 0, Math.min(buffer.length, stop - at), at));
        if (bytesRead === 0) throw shrankError(name, stop);
        at += bytesRead;
        const bytesSent = at - from;
        await written;
        running.write(buffer.subarray(0, bytesRead));
        const taken = at < stop ? running.ready() : running.flushed();
        // Handled, because the next read may fail first.
        written = handled(taken.then(() => emit({ bytesSent, bytesTotal })));
      }
      await written;
      // Reads the last byte and one after it: a file whose size is not what stat() said does not pass for whole either.
      const last = Math.max(0, stop - 1);
      const { bytesRead } = await onDisk(handle.read(Buffer.alloc(2), 0, stop + 1 - last, last));
      if (bytesRead < stop - last) throw shrankError(name, stop);
      if (bytesRead > stop - last && to === undefined) throw grewError(name, stop);
    } finally {
      if (!given) await handle.close().catch(() => {});
    }
  });
}

/** Returns buffers of `size` bytes: two in turn if their memory may be reused, otherwise a new one each time. */
function buffersOf(size: number, recycle: boolean): () => Buffer {
  if (!recycle) return () => Buffer.allocUnsafeSlow(size);
  const buffers: Buffer[] = [];
  let turn = 0;
  return () => {
    turn = 1 - turn;
    buffers[turn] ??= Buffer.allocUnsafeSlow(size);
    return buffers[turn] as Buffer;
  };
}

/** Returns the offset at which to stop. Throws unless the file is regular and holds the bytes asked for. */
function endOffset(
  stats: { isFile(): boolean; isDirectory(): boolean; readonly size: number },
  { name, from, to }: { readonly name: string; readonly from: number; readonly to: number | undefined },
): number {
  if (stats.isDirectory()) throw fileError('read', name, directoryError());
  if (!stats.isFile()) {
    const message = `Cannot send ${name}: it is not a regular file, so its size is unknown: use sendFrom() with a stream`;
    throw new SocketError(message, { code: 'ERR_FILE_NOT_REGULAR', phase: 'read' });
  }
  const stop = to ?? stats.size;
  if (stop <= stats.size && from <= stop) return stop;
  const [option, value] = from > stats.size ? ['from', from] : ['to', to];
  const message = `Cannot send ${name}: ${option} is ${value}, but the file ends at ${stats.size}: check that it is the file you mean`;
  throw new SocketError(message, { code: 'ERR_OUT_OF_RANGE', phase: 'read' });
}

function shrankError(name: string, stop: number): SocketError {
  const message = `${name} shrank below the ${stop} bytes to send: send a copy, or a file that nobody writes to`;
  return new SocketError(message, { code: 'ERR_FILE_SHRANK', phase: 'read' });
}

function grewError(name: string, stop: number): SocketError {
  const message = `${name} grew beyond the ${stop} bytes that it had: set "to" to send a part of a growing file`;
  return new SocketError(message, { code: 'ERR_FILE_GREW', phase: 'read' });
}
