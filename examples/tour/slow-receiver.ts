// The same over the same wire, but the receiver takes its time. Nobody tells the sender: TCP does, since the slow operator
// at the end of the receiver's pipeline stops its socket from reading.
import { connect, data, lines, listen, mapWithBackpressure, saveTo, sendFile, serve } from '@rxsock/core';
import { ignoreElements, last, lastValueFrom, map, merge, tap, timer } from 'rxjs';
import { bytes, rate } from './kit/format.js';
import { Meter } from './kit/meter.js';
import { check, type Outcome } from './kit/outcome.js';
import { sha256 } from './kit/random-file.js';
import type { Address } from './kit/route.js';
import type { Stage } from './kit/step.js';
import { whileServing } from './kit/while-serving.js';

const CHUNK = 256 * 2 ** 10;
/** What may wait in the receiver: 16 chunks of 64 KiB for the slow operator, a MiB for the disk, and what is under way. */
const WAITING = 4 * 2 ** 20;
const MEMORY = 160 * 2 ** 20;

/** @param fullSpeed What the wire can do, in bytes a second. */
export async function slowReceiver(path: string, size: number, fullSpeed: number, stage: Stage): Promise<Outcome> {
  using meter = new Meter();
  const copy = `${path}.slow`;
  const pace = Math.min(8 * 2 ** 20, fullSpeed / 10);
  const [sentBar, savedBar] = [stage.bar('sent', size), stage.bar('saved', size)];

  // The server: every chunk takes as long as it would at `pace`.
  let waiting = meter.peak(() => 0);
  const server = listen().pipe(
    serve((socket) => {
      let saved = 0;
      waiting = meter.peak(() => socket.bytesRead - saved);
      return socket.pipe(
        data(),
        mapWithBackpressure((chunk) => timer((chunk.length / pace) * 1000).pipe(map(() => chunk))),
        saveTo(copy),
        tap(({ bytesSaved }) => {
          saved = bytesSaved;
          savedBar.update(saved);
        }),
        last(),
        map(({ bytesSaved }) => `${bytesSaved} bytes saved\n`),
      );
    }),
  );

  // The client is that of the first step; it sends the first part of the file only.
  let sentAfter = 0;
  const upload = (server: Address) => {
    const socket = meter.watch(connect(server));
    const sending = sendFile(socket, path, { to: size, chunkSize: CHUNK }).pipe(
      tap({
        next: ({ bytesSent }) => sentBar.update(bytesSent),
        complete: () => {
          sentAfter = (performance.now() - begin) / 1000;
        },
      }),
    );
    return merge(sending.pipe(ignoreElements()), socket.pipe(data(), lines()));
  };

  const begin = performance.now();
  const answer = await lastValueFrom(whileServing(server, upload));
  const seconds = (performance.now() - begin) / 1000;

  const whole = answer === `${size} bytes saved` && (await sha256(path, size)) === (await sha256(copy));
  const { queue, memory } = meter;
  return {
    bytes: size,
    seconds,
    peakQueue: queue.max,
    checks: [
      check(whole, `the server answered “${answer}”, with the same SHA-256`),
      check(
        size / sentAfter < fullSpeed / 3,
        `the sender slowed down to ${rate(size, sentAfter)}, from ${rate(fullSpeed, 1)} in the first step`,
      ),
      check(queue.max <= 2 * CHUNK, `${bytes(queue.max)} at most waited to be sent (limit ${bytes(2 * CHUNK)})`),
      check(waiting.max <= WAITING, `${bytes(waiting.max)} at most waited in the receiver (limit ${bytes(WAITING)})`),
      check(memory.max <= MEMORY, `memory grew by ${bytes(memory.max)}, both ends together (limit ${bytes(MEMORY)})`),
    ],
  };
}
