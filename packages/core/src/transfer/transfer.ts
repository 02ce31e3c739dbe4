// transfer(): a whole write that is fed by an async function. sendFile and sendFrom are built on it.
import { Observable } from 'rxjs';
import type { Socket } from '../socket.js';
import { WholeWrite } from './whole-write.js';

/** What a running transfer can do. */
export interface Transfer {
  /** How many bytes of this transfer were handed to the kernel. */
  readonly bytesSent: number;
  /** Writes. Returns `false` at or over the socket's `highWaterMark`. Throws once the transfer has stopped. */
  write(bytes: Uint8Array): boolean;
  /** Resolves when everything written so far was handed to the kernel. You may ignore the promise. */
  flushed(): Promise<void>;
  /** The same, and the socket takes more. */
  ready(): Promise<void>;
  /** Waits for `promise`, which may never settle. Rejects when the transfer stops. */
  until<T>(promise: T | PromiseLike<T>): Promise<T>;
  /** Stops the transfer with an error, also while `until` waits. */
  stop(error: unknown): void;
}

/**
 * Creates the Observable of a transfer.
 * @param end Whether FIN is sent after the last byte.
 * @param run Called at each subscription. It resolves when everything was handed to the kernel, and cleans up before it
 * settles.
 */
export function transfer<P>(
  socket: Socket,
  end: boolean,
  run: (transfer: Transfer, emit: (progress: P) => void) => Promise<void>,
): Observable<P> {
  return new Observable((subscriber) => {
    if (subscriber.closed) return;
    let stopped: { readonly error: unknown } | undefined;
    let interrupt = (_error: unknown) => {};
    const stop = (error: unknown) => {
      stopped ??= { error };
      interrupt(stopped.error);
    };

    const write = new WholeWrite(socket, { failed: stop });
    subscriber.add(() => {
      const reason = new Error('the transfer was stopped before it was complete');
      write.close(reason);
      stop(reason);
    });
    const handle: Transfer = {
      get bytesSent() {
        return write.bytesSent;
      },
      write: (bytes) => {
        if (stopped) throw stopped.error;
        return write.write(bytes);
      },
      flushed: () => write.flushed(),
      ready: () => write.ready(),
      stop,
      until: (promise) =>
        new Promise((resolve, reject) => {
          interrupt = reject;
          if (stopped) reject(stopped.error);
          else Promise.resolve(promise).then(resolve, reject);
        }),
    };

    const fail = (error: unknown) => {
      // The socket's own failure needs no abort: an abort would drop what the peer has sent before.
      if (stopped) subscriber.error(stopped.error);
      else write.cut(error, () => subscriber.error(error));
    };
    const finish = () => {
      if (stopped) return fail(stopped.error);
      // From now on only the socket can fail.
      interrupt = fail;
      write.finish(end, () => subscriber.complete());
    };
    run(handle, (progress) => subscriber.next(progress)).then(finish, fail);
  });
}
