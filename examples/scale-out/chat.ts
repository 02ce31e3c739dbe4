// The chat of one process: its clients send lines to the bus, and hear what the bus brings.
import { data, lines, mapWithBackpressure, on, type Server, type Socket } from '@rxsock/core';
import { connect, delay, filter, finalize, last, map, merge, type Observable, share, startWith, takeUntil } from 'rxjs';
import { printable } from '../cli.js';
import type { Bus, BusEvent } from './bus.js';

/** How many bytes may wait for a client. More than a bus brings at once, or fast clients would miss lines, too. */
const MOST_UNREAD = 262_144;

/**
 * Returns a handler for `serve()`. A client that hears its own line knows that the bus has it.
 *
 * @param moveTime How long clients may go on when the server closes, in milliseconds. Meanwhile they connect again, to
 * another process, and then end this connection.
 */
export function chat(server: Server, bus: Bus, moveTime: number): (socket: Socket) => Observable<string | Uint8Array> {
  // Encoded once for all clients.
  const news = bus.events.pipe(
    map((event) => Buffer.from(`${describe(event)}\n`)),
    share(),
  );
  return (socket) => {
    const draining = server.pipe(on('draining'));
    const notice = draining.pipe(
      map(() => '* this process is about to end: connect again, then end this connection\n'),
    );
    // Completes after the client's FIN, when the bus has all of its lines. It emits answers to lines that were not sent.
    const sent = socket.pipe(
      data(),
      lines({ maxLength: 1024 }),
      takeUntil(draining.pipe(delay(moveTime))),
      // A client that is faster than the bus has to wait.
      mapWithBackpressure((line) => send(bus, socket, printable(line)), { concurrency: 16 }),
    );
    const heard = (until: Observable<unknown>) =>
      merge(news, notice).pipe(
        // Neither the bus nor anybody else waits for a slow client. It misses what comes while it has so much to read.
        filter(() => socket.name !== '' && socket.writableLength < MOST_UNREAD),
        takeUntil(until),
      );
    return sent.pipe(
      connect((answers) => merge(heard(answers.pipe(last(null, 'no answers'))), answers)),
      startWith(`Process ${process.pid}: what is your name?\n`),
      finalize(() => {
        if (socket.name) bus.publish(`* ${socket.name} has left`).catch(() => {});
      }),
    );
  };
}

/** Sends a line to the bus, and answers only if that fails. The first line of a client is its name. */
async function* send(bus: Bus, socket: Socket, line: string): AsyncGenerator<string> {
  if (socket.name === '' && line === '') return;
  const text = socket.name ? `${socket.name}: ${line}` : `* ${line} is here`;
  socket.name ||= line;
  try {
    await bus.publish(text);
  } catch {
    yield `* not sent: ${line}\n`;
  }
}

function describe(event: BusEvent): string {
  if (event.type === 'message') return event.text;
  if (event.type === 'down') return '* the bus is down: nobody hears you';
  return '* the bus is back: you have missed what others said meanwhile';
}
