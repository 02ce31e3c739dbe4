// A file goes over TCP from disk to disk. Neither end has more of it in memory than a few chunks.
import { connect, data, lines, listen, saveTo, sendFile, serve } from '@rxsock/core';
import { ignoreElements, last, lastValueFrom, map, merge, tap } from 'rxjs';
import { bytes } from './kit/format.js';
import { Meter } from './kit/meter.js';
import { check, type Outcome } from './kit/outcome.js';
import { sha256 } from './kit/random-file.js';
import type { Address } from './kit/route.js';
import type { Stage } from './kit/step.js';
import { whileServing } from './kit/while-serving.js';

/** `sendFile` reads this much at a time, and has two of them. */
const CHUNK = 2 ** 20;
/** What client and server together may take, however large the file is: most of it is garbage, yet to be collected. */
const MEMORY = 160 * 2 ** 20;

export async function sendAFile(path: string, size: number, stage: Stage): Promise<Outcome> {
  using meter = new Meter();
  const bar = stage.bar('sent', size);
  const copy = `${path}.copy`;

  // The server saves what comes. When the client's FIN has told that this was all, it answers how much it has.
  const server = listen().pipe(
    serve((socket) =>
      socket.pipe(
        data(),
        saveTo(copy),
        last(),
        map(({ bytesSaved }) => `${bytesSaved} bytes saved\n`),
      ),
    ),
  );

  // The client sends the file, half-closes, and reads the answer.
  const upload = (server: Address) => {
    const socket = meter.watch(connect(server));
    const sending = sendFile(socket, path, { chunkSize: CHUNK }).pipe(tap(({ bytesSent }) => bar.update(bytesSent)));
    return merge(sending.pipe(ignoreElements()), socket.pipe(data(), lines()));
  };

  const begin = performance.now();
  const answer = await lastValueFrom(whileServing(server, upload));
  const seconds = (performance.now() - begin) / 1000;

  const sent = await sha256(path);
  const saved = await sha256(copy);
  const { queue, memory } = meter;
  return {
    bytes: size,
    seconds,
    peakQueue: queue.max,
    checks: [
      check(answer === `${size} bytes saved`, `the server answered “${answer}”`),
      check(sent === saved, `SHA-256 sent ${sent.slice(0, 16)}…, saved ${saved.slice(0, 16)}…`),
      check(queue.max <= 2 * CHUNK, `${bytes(queue.max)} at most waited to be sent (limit ${bytes(2 * CHUNK)})`),
      check(memory.max <= MEMORY, `memory grew by ${bytes(memory.max)}, both ends together (limit ${bytes(MEMORY)})`),
    ],
  };
}
