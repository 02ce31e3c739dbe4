// A transfer into a socket: what sendFile and sendFrom have in common. It watches the socket, which so stays open and is
// not read, and whatever cuts it short aborts the connection.
import { Observable } from 'rxjs';
import { SocketError } from '../base/errors.js';
import { watchOrFail } from '../operators/watch.js';
import { connectionOf, type Socket } from '../socket.js';

/** What a running transfer can do. */
export interface Transfer {
  /** Writes; settles when the bytes were handed to the kernel. Rejects once the transfer is cut. */
  write(bytes: Uint8Array): Promise<void>;
  /** Waits for something that may never come, but not longer than until the transfer is cut: then it rejects. */
  until<T>(something: T | PromiseLike<T>): Promise<T>;
}

/**
 * Makes the Observable of a transfer.
 * @param end Whether the write side is completed after it.
 * @param run Called at each subscription. Resolves when all was handed to the kernel; cleans up before it settles.
 */
export function transfer<P>(
  socket: Socket,
  end: boolean,
  run: (transfer: Transfer, emit: (progress: P) => void) => Promise<void>,
): Observable<P> {
  return new Observable((subscriber) => {
    const connection = connectionOf(socket);
    const { writeSide } = connection;
    let finished = false;
    let failed = false;
    let stopped: { readonly error: unknown } | undefined;
    let interrupt = (_error: unknown) => {};

    const stop = (error: unknown) => {
      stopped ??= { error };
      interrupt(stopped.error);
    };
    // A socket that fails by itself needs no abort, which would drop what the peer has said before.
    const fail = (error: unknown) => {
      failed = true;
      if (!stopped) connection.cut(error);
      subscriber.error(error);
    };
    const gone = () => {
      const options = { code: 'ERR_STREAM_PREMATURE_CLOSE', phase: 'write' } as const;
      stop(new SocketError('The socket closed before everything was written to it', options));
    };
    const finish = () => {
      if (stopped) return fail(stopped.error);
      interrupt = fail;
      finished = true;
      if (!end) return subscriber.complete();
      subscriber.add(watchOrFail(socket, 'finish').subscribe(() => subscriber.complete()));
      socket.complete();
    };
    const handle: Transfer = {
      write: (bytes) => (stopped ? Promise.reject(stopped.error) : socket.write(bytes)),
      until: (something) =>
        new Promise((resolve, reject) => {
          interrupt = reject;
          if (stopped) reject(stopped.error);
          else Promise.resolve(something).then(resolve, reject);
        }),
    };

    const done = connection.beginWrite();
    const unwatch = writeSide.onBroken(stop);
    subscriber.add(watchOrFail(socket, 'drain').subscribe({ error: stop, complete: gone }));
    subscriber.add(() => {
      unwatch();
      if (!finished && !failed) {
        const cut = new Error('the transfer was cut before it was complete');
        connection.cut(cut);
        stop(cut);
      }
      done();
    });
    run(handle, (progress) => subscriber.next(progress)).then(finish, (error) => fail(stopped ? stopped.error : error));
  });
}
