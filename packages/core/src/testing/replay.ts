// replay(): plays one side of a captured connection.
import type { Subscription } from 'rxjs';
import { LONGEST_TIMER } from '../base/deadline.js';
import { AbortedError, SocketError } from '../base/errors.js';
import { type Flowable, flowable } from '../flow/flowable.js';
import { Holds } from '../flow/holds.js';
import { readConversations } from '../pcapng/read-conversations.js';
import { controlOf, type Socket } from '../socket.js';
import { checkPath, fileError } from '../transfer/file-error.js';
import { type ReplayOptions, type ResolvedReplayOptions, resolveReplayOptions } from './replay-options.js';
import { type Act, planOf } from './replay-plan.js';

/** Plays one side of a connection on a socket. It is a handler of `serve()`. */
export type Replay = (socket: Socket) => Flowable<Buffer>;

/**
 * Reads a capture, and plays one side of a connection in it, over and over: as a peer for tests that needs no program
 * and no network. The captures of `capture()` are read, and those of other programs in the format pcapng: TCP, over raw
 * IP or Ethernet.
 *
 * The result is a function for `serve()`. It takes a socket, reads it, and returns what to write to it. Bytes are sent
 * when as many have arrived as the recorded side had received before: an answer never comes before its question, however
 * slow this one is. What arrives is counted, and not compared.
 *
 * The time is that of the socket's `scheduler`, so a replay over `socketPair()` runs in virtual time.
 *
 * **Half-close**: a FIN is sent where the recorded side has sent one. A recorded reset aborts the connection. If the
 * recording ends before the connection does, the replay waits for the FIN of the peer.
 *
 * **Backpressure**: a peer that does not read makes the replay wait. The whole capture is in memory.
 *
 * @param file A path, or a `file:` URL.
 * @returns Resolves when the capture is read. A file that ends inside a block counts as far as it goes.
 * @throws At the call: TypeError or RangeError for an option with an invalid value.
 * @throws As a rejection: {@link SocketError} with Node's code if the file cannot be read; `ERR_REPLAY_NO_CONNECTION` if
 * it does not have the connection; `ERR_REPLAY_INCOMPLETE` if it lacks bytes of the side; {@link FrameError}
 * (`ERR_FRAME_MALFORMED`) if it is not a pcapng file.
 * @throws As a notification: {@link AbortedError} (`ERR_SOCKET_ABORTED`) for a recorded reset; what the socket fails
 * with.
 *
 * @example
 * ```ts
 * import { data, lines, listen, serve, writeTo } from '@rxsock/core';
 * import { replay, socketPair } from '@rxsock/core/testing';
 *
 * const server = await replay('session.pcapng', { side: 'server', chunking: { seed: 1 }, timing: 'immediate' });
 * // A peer in memory:
 * const [client, peer] = socketPair();
 * server(peer).pipe(writeTo(peer)).subscribe();
 * client.pipe(data(), lines()).subscribe(console.log);
 * // Or a real server:
 * listen({ port: 7000 }).pipe(serve(server)).subscribe();
 * ```
 */
export function replay(file: string | URL, options: ReplayOptions): Promise<Replay> {
  const path = checkPath(file);
  return load(path, resolveReplayOptions(options));
}

async function load(path: string, options: ResolvedReplayOptions): Promise<Replay> {
  const { connection: index } = options;
  const conversations = await readConversations(path).catch((error) => {
    throw fileError('read', path, error);
  });
  const conversation = conversations[index];
  if (!conversation) {
    throw new SocketError(`${path} has no connection ${index}: it has ${conversations.length}, counted from 0`, {
      code: 'ERR_REPLAY_NO_CONNECTION',
      phase: 'open',
    });
  }
  const plan = planOf(conversation, options);
  return (socket) => play(socket, plan);
}

function play(socket: Socket, plan: readonly Act[]): Flowable<Buffer> {
  const { bytes, limits } = controlOf(socket);
  return flowable((subscriber, join) => {
    let received = 0;
    let ended = false;
    let next = 0;
    let waiting = false;
    let timer: Subscription | undefined;
    const holds = new Holds(() => advance());
    const act = ({ send }: Act) => {
      waiting = false;
      next++;
      if (send === 'fin') subscriber.complete();
      else if (send === 'reset') subscriber.error(resetError());
      else subscriber.next(send);
      advance();
    };
    const advance = () => {
      if (waiting || holds.held || subscriber.closed) return;
      const planned = plan[next];
      if (!planned) {
        if (ended) subscriber.complete();
        return;
      }
      // After its FIN, no more bytes will arrive.
      if (!ended && (planned.afterEnd || received < planned.after)) return;
      waiting = true;
      timer = limits.scheduler.schedule(() => act(planned), Math.min(planned.pause, LONGEST_TIMER));
    };
    join(holds);
    subscriber.add(() => timer?.unsubscribe());
    subscriber.add(
      bytes.subscribe({
        next: ({ length }) => {
          received += length;
          advance();
        },
        error: (error) => subscriber.error(error),
        complete: () => {
          ended = true;
          advance();
        },
      }),
    );
    advance();
  });
}

function resetError(): AbortedError {
  return new AbortedError('The replay aborts the connection, as the recorded side did', { phase: 'write' });
}
