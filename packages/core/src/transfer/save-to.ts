// saveTo(): the receiving end of a file.
import { Observable, type OperatorFunction } from 'rxjs';
import { BackpressureOverflowError } from '../base/errors.js';
import { Brake, FlowSet } from '../flow/flow.js';
import { FlowSubscriber } from '../flow/flowable.js';
import { fileError } from './file-error.js';
import { PartFile } from './part-file.js';

/** How far a file is saved. */
export interface SaveProgress {
  /** Bytes handed to the file system so far. */
  readonly bytesSaved: number;
}

/** What may wait while the disk is busy, in bytes and in chunks, before the sources are held. */
const MARK = { bytes: 1_048_576, chunks: 1_024 };

/** What may wait, in bytes, where the source cannot be held. */
const UNHELD_LIMIT = 64 * 1024 * 1024;

/**
 * Saves bytes to a file. Emits progress: once when the file is open, and after every write.
 *
 * The bytes go to a temporary file in the same directory (`.….part`). When the source completes they are flushed to the
 * disk, and the file gets its final name in one step, replacing what had it: under that name there is the whole, or what
 * was there before, even after a power cut. Where the source fails, the disk does, or somebody unsubscribes, the temporary
 * file is removed; the error is told after that.
 *
 * Half-close: `data()` completes at the peer's FIN only, so a connection that was cut is an error and saves nothing.
 * Backpressure: holds its sources while 1 MiB or 1,024 chunks wait for the disk; the peer then has to wait for the disk.
 *
 * @throws As notifications: {@link SocketError} with phase `write` and Node's code (`ENOSPC`, `EROFS`, `ENOENT`, `EACCES`,
 * `EISDIR`, …) or `ERR_FILE_NOT_REGULAR`; {@link BackpressureOverflowError} if a source cannot be held and 64 MiB wait;
 * what the source fails with.
 *
 * @example
 * ```ts
 * import { connections, data, listen, saveTo } from '@rxsock/core';
 * import { mergeMap } from 'rxjs';
 *
 * listen({ port: 9000 })
 *   .pipe(connections(), mergeMap((socket) => socket.pipe(data(), saveTo(`upload-${Date.now()}`))))
 *   .subscribe(({ bytesSaved }) => console.log(bytesSaved));
 * ```
 */
export function saveTo(file: string | URL): OperatorFunction<Uint8Array, SaveProgress> {
  return (source) =>
    new Observable((subscriber) => {
      const upstream = new FlowSet();
      let queue: Uint8Array[] = [];
      let queued = 0;
      let bytesSaved = 0;
      let completed = false;
      let stopped: { readonly error: unknown } | undefined;
      let wake = () => {};
      // Nothing is taken before the file is open.
      const brake = new Brake(upstream, 'saveTo');
      brake.on();

      const write = async (part: PartFile) => {
        for (;;) {
          if (stopped) throw stopped.error;
          const batch = queue;
          const bytes = queued;
          queue = [];
          queued = 0;
          brake.off();
          if (batch.length > 0) {
            await part.write(batch);
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
        const part = await PartFile.open(file);
        try {
          if (!stopped) subscriber.next({ bytesSaved });
          await write(part);
          await part.flush();
          if (stopped) throw stopped.error;
          await part.commit();
        } catch (error) {
          await part.discard();
          throw error;
        }
      };
      const stop = (error: unknown) => {
        stopped ??= { error };
        wake();
      };

      const incoming = new FlowSubscriber<Uint8Array>(
        undefined,
        {
          next: (chunk) => {
            if (queued > UNHELD_LIMIT) {
              const message = `${queued} bytes wait for the disk and their source cannot be held: make it with flowFrom()`;
              incoming.unsubscribe();
              return stop(new BackpressureOverflowError(message, { limit: UNHELD_LIMIT }));
            }
            queue.push(chunk);
            queued += chunk.length;
            if (queued >= MARK.bytes || queue.length >= MARK.chunks) brake.on();
            wake();
          },
          error: stop,
          complete: () => {
            completed = true;
            wake();
          },
        },
        upstream,
      );
      subscriber.add(() => {
        incoming.unsubscribe();
        stop(undefined);
      });
      save().then(
        () => subscriber.complete(),
        (error) => subscriber.error(stopped ? stopped.error : fileError('write', String(file), error)),
      );
      source.subscribe(incoming);
    });
}
