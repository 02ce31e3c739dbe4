// toDuplex(): a Socket as a Node Duplex.
import { Duplex } from 'node:stream';
import type { Subscription } from 'rxjs';
import { FlowSet, FlowSubscriber, type Release } from '../flow.js';
import { data } from '../operators/data.js';
import { watchOrFail } from '../operators/watch.js';
import { connectionOf, type Socket } from '../socket.js';

/**
 * A socket as a Node `Duplex`, for libraries that take one. Dials if nobody has, and owns the socket from here on, both
 * ways: write and complete through the stream.
 *
 * Half-close: `end()` sends FIN and reading goes on; the peer's FIN is `'end'`, and ends our side too, after all that was
 * written, unless the socket's `allowHalfOpen` was on. `destroy()` before both ends aborts the connection; what the socket
 * fails with is its `'error'`. Backpressure: both ways. Bytes are read ahead up to its `readableHighWaterMark`.
 *
 * @example
 * ```ts
 * import { request } from 'node:http';
 * import { connect, toDuplex } from '@rxsock/core';
 *
 * const createConnection = () => toDuplex(connect({ host: 'localhost', port: 80 }));
 * request({ createConnection }, (response) => response.pipe(process.stdout)).end();
 * ```
 */
export function toDuplex(socket: Socket): Duplex {
  const connection = connectionOf(socket);
  const { allowHalfOpen, limits, outbox } = connection;
  // At the peer's FIN, what waits in the stream goes out before our side ends.
  const done = connection.begin();
  const flows = new FlowSet();
  // Nothing is taken before it is asked for.
  let release: Release | undefined = flows.hold('toDuplex');
  let watching: Subscription | undefined;
  let ended = false;
  let failure: unknown;

  const fail = (error: unknown) => {
    failure = error;
    duplex.destroy(error as Error);
  };
  const reader = new FlowSubscriber<Buffer>(
    undefined,
    {
      next: (bytes) => {
        if (!duplex.push(bytes)) release ??= flows.hold('toDuplex');
      },
      error: fail,
      complete: () => {
        ended = true;
        duplex.push(null);
      },
    },
    flows,
  );
  // Where the socket fails, that is told after what the peer has said before it.
  const whenWritten = (written: Promise<void>, tell: (error?: Error | null) => void) => {
    written.then(
      () => tell(),
      (error) => outbox.state === 'broken' || tell(error),
    );
  };
  const duplex: Duplex = new Duplex({
    allowHalfOpen,
    highWaterMark: limits.highWaterMark,
    read() {
      const released = release;
      release = undefined;
      released?.();
    },
    write(bytes: Buffer, _encoding, tell) {
      whenWritten(socket.write(bytes), tell);
    },
    writev(chunks, tell) {
      const last = chunks.map(({ chunk }) => socket.write(chunk as Buffer)).at(-1);
      whenWritten(last ?? Promise.resolve(), tell);
    },
    final(tell) {
      watching?.add(watchOrFail(socket, 'finish').subscribe({ next: () => tell(), error: tell }));
      socket.complete();
    },
    destroy(error, tell) {
      const whole = ended && duplex.writableFinished;
      if (!whole && failure === undefined) socket.error(error ?? new Error('the stream was destroyed before its end'));
      reader.unsubscribe();
      watching?.unsubscribe();
      done();
      tell(error);
    },
  });
  // For the failures of the write side after the peer's FIN.
  watching = watchOrFail(socket, 'close').subscribe({ error: fail });
  socket.pipe(data()).subscribe(reader);
  return duplex;
}
