// Sends a file over TCP from disk to disk. Each end keeps only a few chunks of it in memory.
import { connect, data, lines, listen, saveTo, sendFile, serve } from '@rxsock/core';
import { ignoreElements, last, lastValueFrom, map, merge, tap } from 'rxjs';
import { bytes } from './kit/format.js';
import { Meter } from './kit/meter.js';
import { check, type Outcome } from './kit/outcome.js';
import { sha256 } from './kit/random-file.js';
import type { Address } from './kit/route.js';
import type { Progress } from './kit/step.js';
import { whileServing } from './kit/while-serving.js';

/** `sendFile` reads chunks of this size, and has two of them in memory. */
const CHUNK = 2 ** 20;
/** How much memory client and server together may use, for a file of any size. Most of it is uncollected garbage. */
const MEMORY_LIMIT = 160 * 2 ** 20;

export async function sendAFile(path: string, size: number, progress: Progress): Promise<Outcome> {
  using meter = new Meter();
  const bar = progress.bar('sent', size);
  const copy = `${path}.copy`;

  // The server saves what it receives. After the client's FIN, it answers how many bytes it has saved.
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

  const start = performance.now();
  const answer = await lastValueFrom(whileServing(server, upload));
  const seconds = (performance.now() - start) / 1000;

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
      check(queue.max <= 2 * CHUNK, `at most ${bytes(queue.max)} waited to be sent (limit ${bytes(2 * CHUNK)})`),
      check(
        memory.max <= MEMORY_LIMIT,
        `memory grew by ${bytes(memory.max)} for both ends together (limit ${bytes(MEMORY_LIMIT)})`,
      ),
    ],
  };
}
