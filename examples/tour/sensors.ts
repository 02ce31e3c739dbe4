// Something to look at in the inspector: 20 sensors send lines to a server, which saves them. One save never ends, as
// from a database that does not answer, and so one pipeline hangs.
import { connect, data, lines, listen, mapWithBackpressure, type Socket, serve } from '@rxsock/core';
import { EMPTY, ignoreElements, interval, merge, mergeMap, NEVER, type Observable, tap, timer } from 'rxjs';

const SENSORS = 20;
/** A sensor sends a line after so many milliseconds. */
const PAUSE = 50;

/** Saves a line. The database does not answer for lines of sensor 7. */
function save(line: string): Observable<unknown> {
  return line.startsWith('sensor-7 ') ? NEVER : timer(5);
}

/** A sensor says its name in each of its lines. */
function sensor(name: string, port: number): Observable<never> {
  const socket = connect({ port });
  socket.name = `client of ${name}`;
  const sending = interval(PAUSE).pipe(tap((index) => socket.next(`${name} ${index} ${Math.random()}\n`)));
  return merge(socket, sending).pipe(ignoreElements());
}

/** Runs until somebody unsubscribes. */
export function sensors(): Observable<never> {
  const server = listen();
  server.name = 'sensors';
  const store = (socket: Socket) =>
    socket.pipe(
      data(),
      lines(),
      tap((line) => {
        socket.name ||= line.split(' ', 1).join();
      }),
      mapWithBackpressure(save),
      ignoreElements(),
    );
  return server.pipe(
    serve(store),
    mergeMap((event) => {
      if (event.type !== 'listening') return EMPTY;
      return merge(...Array.from({ length: SENSORS }, (_, index) => sensor(`sensor-${index}`, event.address.port)));
    }),
  );
}
