// Sockets of Effect.
import { makeNet, makeNetChannel } from '@effect/platform-node-shared/NodeSocket';
import { Effect, Stream } from 'effect';
import type { Peer } from './peer.js';

/** Counts the lines that a peer sends. */
export function countLines(peer: Peer): Promise<number> {
  const channel = makeNetChannel({ port: peer.port, host: '127.0.0.1' });
  // Sends nothing, and does not end its side. The end of the peer arrives as an error.
  const bytes = Stream.never.pipe(
    Stream.pipeThroughChannel(channel),
    Stream.catchIf(
      ({ reason }) => reason._tag === 'SocketCloseError',
      () => Stream.empty,
    ),
  );
  return Effect.runPromise(bytes.pipe(Stream.decodeText, Stream.splitLines, Stream.runCount));
}

/** Sends a message, and sends the next one whenever it has come back, until `next` returns `false`. */
export function pingPong(peer: Peer, message: Uint8Array, next: () => boolean): Promise<void> {
  const socket = makeNet({ port: peer.port, host: '127.0.0.1', noDelay: true });
  const program = Effect.gen(function* () {
    const { reader, writer } = yield* socket;
    const { pull } = yield* reader;
    const { write } = yield* writer;
    let missing = message.length;
    yield* write(message);
    for (;;) {
      for (const bytes of yield* pull) missing -= bytes.length;
      if (missing > 0) continue;
      missing += message.length;
      if (!next()) return;
      yield* write(message);
    }
  });
  return Effect.runPromise(Effect.scoped(program));
}
