// saveTo(): the receiving end of a file.
import { types } from 'node:util';
import { Observable, type OperatorFunction } from 'rxjs';
import { typeError } from '../base/check.js';
import type { BackpressureOverflowError } from '../base/errors.js';
import { FlowSet } from '../flow/flow-set.js';
import { FlowSubscriber } from '../flow/flow-subscriber.js';
import { Brake } from '../flow/holds.js';
import { unheldOverflow } from '../flow/unheld-limit.js';
import { checkPath, fileError } from './file-error.js';
import { PartFile } from './part-file.js';
import { resolveSaveToOptions, type SaveToOptions } from './save-to-options.js';

/** The progress of {@link saveTo}. */
export interface SaveProgress {
  /** How many bytes were handed to the file system so far. With `resume`, those of earlier transfers are included. */
  readonly bytesSaved: number;
}

/** What the source must emit. A string is refused: after `lines()`, the file would lack the ends of the lines. */
const BYTES = 'a Uint8Array (put encode() before saveTo() for anything else)';

/** How much may wait for the disk before the sources are held. */
const MARK = { bytes: 1_048_576, chunks: 1_024 };

/** By path: the last resumable transfer that was unsubscribed and still has its part file. It settles soon. */
const leaving = new Map<string, Promise<void>>();

/**
 * Saves bytes to a file, or the rest of it with `resume`. Emits the progress once when the file is open, and after every
 * write.
 *
 * The bytes go to a temporary file in the same folder, `.….part`. When the source completes, this file is renamed to
 * its final name in one step. So the final name always holds the whole file, or what was there before. By default both
 * the file and its new name are on the disk when the result completes: see `flush`.
 *
 * The new file gets the permissions of the file that it replaces, and its owner and group if this process may set them.
 * If the group cannot be kept, the new group gets no more permissions than everybody. The temporary file never has a
 * permission that the old file does not have. The set-user-ID and set-group-ID bits, access control lists and extended
 * attributes are not kept. A symbolic link stays a link: the file that it points to is created or replaced.
 *
 * If the source or the disk fails, or you unsubscribe, the temporary file is removed first, and then the error is
 * emitted. It is also removed when the process exits, and when SIGINT, SIGTERM or SIGHUP ends it. If the application
 * listens for the signal, the transfer continues until the process exits. A process that is killed (SIGKILL) or crashes
 * leaves the file behind, and so does a worker thread that is terminated from outside: see `removeStale`.
 *
 * With `resume`, the temporary file is kept wherever it would be removed, unless it is empty. The next transfer with
 * `resume` appends to it, also to one that a killed process has left. Its owner may always read and write it.
 *
 * **Half-close**: `data()` completes only at the peer's FIN, so a connection that was reset is an error and saves
 * nothing. But a FIN does not prove that the file is whole: the system also sends one for a process that is killed, and
 * UNIX sockets have no reset. Let the peer tell the length or a hash first, and let the source fail if they differ.
 *
 * **Backpressure**: holds its sources while 1 MiB or 1,024 chunks wait for the disk. The peer then waits for the disk.
 *
 * @param file A path, or a `file:` URL. One that ends in a separator, `.` or `..` names a directory: `EISDIR`.
 * @returns An operator. Its result completes when the file has its final name.
 * @throws At the call: TypeError if `file` is neither a path nor a `file:` URL, and for an option of the wrong type;
 * RangeError for a `mode` out of range.
 * @throws As a notification: {@link SocketError} with phase `write` and Node's code (`ENOSPC`, `EROFS`, `ENOENT`,
 * `EACCES`, `EISDIR`, …) or `ERR_FILE_NOT_REGULAR`, with `resume` also `ERR_FILE_IN_USE` and `ERR_FILE_NOT_RESUMABLE`;
 * {@link BackpressureOverflowError} (`ERR_BACKPRESSURE_OVERFLOW`) if 64 MiB wait and the source cannot be held;
 * TypeError for a chunk that is not a `Uint8Array`; what the source fails with.
 *
 * @example
 * ```ts
 * import { connections, data, listen, saveTo } from '@rxsock/core';
 * import { mergeMap } from 'rxjs';
 *
 * listen({ port: 9000 })
 *   .pipe(connections(), mergeMap((socket) => socket.pipe(data(), saveTo(`upload-${Date.now()}`, { mode: 0o600 }))))
 *   .subscribe(({ bytesSaved }) => console.log(bytesSaved));
 * ```
 *
 * @example
 * ```ts
 * import { connect, data, saveTo } from '@rxsock/core';
 * import { defer, map, retry } from 'rxjs';
 *
 * // The peer expects an offset in a line, and sends the file from there: sendFile(socket, path, { from }).
 * defer(() => {
 *   const socket = connect({ port: 9000 });
 *   return socket.pipe(
 *     data(),
 *     saveTo('big.iso', { resume: true }),
 *     map(({ bytesSaved }, index) => {
 *       if (index === 0) socket.next(`${bytesSaved}\n`);
 *       return bytesSaved;
 *     }),
 *   );
 * })
 *   .pipe(retry({ count: 10, delay: 1000 }))
 *   .subscribe((bytesSaved) => console.log(bytesSaved));
 * ```
 */
export function saveTo(file: string | URL, options: SaveToOptions = {}): OperatorFunction<Uint8Array, SaveProgress> {
  const path = checkPath(file);
  const resolved = resolveSaveToOptions(options);
  return (source) =>
    new Observable((subscriber) => {
      const upstream = new FlowSet();
      let queue: Uint8Array[] = [];
      let queuedBytes = 0;
      let bytesSaved = 0;
      let completed = false;
      let stopped: { readonly error: unknown } | undefined;
      let wake = () => {};
      const brake = new Brake(upstream, 'saveTo');
      // Until the file is open.
      brake.on();

      const stop = (error: unknown) => {
        stopped ??= { error };
        wake();
      };
      const refuse = (error: Error) => {
        incoming.unsubscribe();
        stop(error);
      };
      const receive = (chunk: Uint8Array) => {
        if (!types.isUint8Array(chunk)) return refuse(typeError('The chunk', BYTES, chunk));
        if (chunk.length === 0) return;
        const overflow = unheldOverflow(queuedBytes, queue.length, 'the disk');
        if (overflow) return refuse(overflow);
        queue.push(chunk);
        queuedBytes += chunk.length;
        if (queuedBytes >= MARK.bytes || queue.length >= MARK.chunks) brake.on();
        wake();
      };
      const writeAll = async (part: PartFile) => {
        for (;;) {
          // What has arrived need not be sent again.
          if (stopped && !(resolved.resume && queue.length > 0)) throw stopped.error;
          const chunks = queue;
          const bytes = queuedBytes;
          queue = [];
          queuedBytes = 0;
          // The source may deliver at once, so the queue may not be empty after this line.
          brake.off();
          if (chunks.length > 0) {
            await part.write(chunks);
            bytesSaved += bytes;
            if (!stopped) subscriber.next({ bytesSaved });
          } else if (queue.length === 0 && !stopped) {
            if (completed) return;
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      };
      const save = async () => {
        if (resolved.resume) await leaving.get(path);
        const part = await PartFile.open(path, resolved);
        bytesSaved = part.resumedAt;
        try {
          if (!stopped) subscriber.next({ bytesSaved });
          await writeAll(part);
          await part.finish();
          if (stopped) throw stopped.error;
          await part.commit();
        } catch (error) {
          await part.leave();
          throw error;
        }
      };

      const incoming = new FlowSubscriber<Uint8Array>(
        undefined,
        {
          next: receive,
          error: stop,
          complete: () => {
            completed = true;
            wake();
          },
        },
        upstream,
      );
      const saving = save().then(
        () => subscriber.complete(),
        (error) => subscriber.error(stopped ? stopped.error : fileError('write', path, error)),
      );
      subscriber.add(() => {
        incoming.unsubscribe();
        stop(undefined);
        if (!resolved.resume) return;
        leaving.set(path, saving);
        saving.then(() => leaving.get(path) === saving && leaving.delete(path));
      });
      source.subscribe(incoming);
    });
}
