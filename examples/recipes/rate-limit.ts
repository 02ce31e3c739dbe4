// A server that limits each client: its connections, its bytes a second, and its requests over all connections.
import { data, limitRate, lines, listen, mapWithBackpressure, type Socket, serve } from '@rxsock/core';
import { finalize, map, timer } from 'rxjs';

/** How long a request takes from the time of its client, and how much time a client may save up, in milliseconds. */
const [cost, burst] = [Number(process.env.COST ?? 100), Number(process.env.BURST ?? 1_000)];

/** For each client, when its time will be used up. */
const usedUntil = new Map<string, number>();

/** Emits when it is the turn of a request. */
function turn(client: string) {
  const now = performance.now();
  const start = Math.max(usedUntil.get(client) ?? 0, now - burst + cost);
  usedUntil.set(client, start + cost);
  return timer(Math.max(0, start - now));
}

/** Forgets a client when its time has recovered, and not before: it would win time by connecting again. */
function forgetLater(client: string): void {
  const until = usedUntil.get(client) ?? 0;
  const forget = () => usedUntil.get(client) === until && usedUntil.delete(client);
  setTimeout(forget, until - performance.now() + burst).unref();
}

function answer(socket: Socket) {
  const client = socket.remote && 'address' in socket.remote ? socket.remote.address : '';
  return socket.pipe(
    data(),
    limitRate({ bytes: 65_536 }),
    lines({ maxLength: 1_024, frameTimeout: 10_000 }),
    mapWithBackpressure((line) => turn(client).pipe(map(() => `${line}\n`))),
    finalize(() => forgetLater(client)),
  );
}

listen({ port: Number(process.env.PORT ?? 7000), maxConnectionsPerAddress: 10, idleTimeout: 60_000 })
  .pipe(serve(answer))
  .subscribe((event) => {
    if (event.type === 'listening') console.log(`Listening on port ${event.address.port}`);
    if (event.type === 'drop') console.log(`Refused a connection: ${event.reason}`);
  });
