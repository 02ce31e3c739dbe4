// Sends a file to a server that is slow. A slow operator at the end of the server's pipeline stops its socket from
// reading, and TCP slows the sender down. The client's code is that of the first step.
import { connect, data, lines, listen, mapWithBackpressure, saveTo, sendFile, serve } from '@rxsock/core';
import { ignoreElements, last, lastValueFrom, map, merge, tap, timer } from 'rxjs';
import { bytes, rate } from './kit/format.js';
import { Meter } from './kit/meter.js';
import { check, type Outcome } from './kit/outcome.js';
import { sha256 } from './kit/random-file.js';
import type { Address } from './kit/route.js';
import type { Progress } from './kit/step.js';
import { whileServing } from './kit/while-serving.js';

const CHUNK = 256 * 2 ** 10;
/**
 * How much may wait in the receiver: 16 chunks of 64 KiB for the slow operator, 1 MiB for the disk, and the chunks that
 * are being handled.
 */
const RECEIVER_LIMIT = 4 * 2 ** 20;
const MEMORY_LIMIT = 160 * 2 ** 20;

/** @param fullSpeed The speed of the first step, in bytes per second. */
export async function slowReceiver(
  path: string,
  size: number,
  fullSpeed: number,
  progress: Progress,
): Promise<Outcome> {
  using meter = new Meter();
  const copy = `${path}.slow`;
  const slowSpeed = Math.min(8 * 2 ** 20, fullSpeed / 10);
  const [sentBar, savedBar] = [progress.bar('sent', size), progress.bar('saved', size)];

  // The server delays every chunk, so that it handles `slowSpeed` bytes per second.
  let waiting = meter.peak(() => 0);
  const server = listen().pipe(
    serve((socket) => {
      let saved = 0;
      waiting = meter.peak(() => socket.bytesRead - saved);
      return socket.pipe(
        data(),
        mapWithBackpressure((chunk) => timer((chunk.length / slowSpeed) * 1000).pipe(map(() => chunk))),
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

  // The client sends only the first part of the file.
  let secondsToSend = 0;
  const upload = (server: Address) => {
    const socket = meter.watch(connect(server));
    const sending = sendFile(socket, path, { to: size, chunkSize: CHUNK }).pipe(
      tap({
        next: ({ bytesSent }) => sentBar.update(bytesSent),
        complete: () => {
          secondsToSend = (performance.now() - start) / 1000;
        },
      }),
    );
    return merge(sending.pipe(ignoreElements()), socket.pipe(data(), lines()));
  };

  const start = performance.now();
  const answer = await lastValueFrom(whileServing(server, upload));
  const seconds = (performance.now() - start) / 1000;

  const whole = answer === `${size} bytes saved` && (await sha256(path, size)) === (await sha256(copy));
  const { queue, memory } = meter;
  return {
    bytes: size,
    seconds,
    peakQueue: queue.max,
    checks: [
      check(whole, `the server answered “${answer}”, with the same SHA-256`),
      check(
        size / secondsToSend < fullSpeed / 3,
        `the sender slowed down to ${rate(size, secondsToSend)}, from ${rate(fullSpeed, 1)} in the first step`,
      ),
      check(queue.max <= 2 * CHUNK, `at most ${bytes(queue.max)} waited to be sent (limit ${bytes(2 * CHUNK)})`),
      check(
        waiting.max <= RECEIVER_LIMIT,
        `at most ${bytes(waiting.max)} waited in the receiver (limit ${bytes(RECEIVER_LIMIT)})`,
      ),
      check(
        memory.max <= MEMORY_LIMIT,
        `memory grew by ${bytes(memory.max)} for both ends together (limit ${bytes(MEMORY_LIMIT)})`,
      ),
    ],
  };
}
