// A chat in lines: what one says, all the others hear. A guest's FIN says "I have said all"; after the last one's the room
// closes, and only then do the guests get theirs.
import { connect, data, lines, listen, type Socket, serve, through } from '@rxsock/core';
import {
  concat,
  defer,
  filter,
  forkJoin,
  from,
  ignoreElements,
  lastValueFrom,
  map,
  merge,
  type Observable,
  Subject,
  tap,
  toArray,
} from 'rxjs';
import { number } from './kit/format.js';
import { Meter } from './kit/meter.js';
import { check, type Outcome } from './kit/outcome.js';
import { type Address, direct, type Route } from './kit/route.js';
import { whileServing } from './kit/while-serving.js';

const GUESTS = ['Ada', 'Grace', 'Zoë'];
const EACH = 1_000;

/** The server: a handler for as many guests as there are seats. */
function room(seats: number): (guest: Socket) => Observable<string> {
  const said = new Subject<{ by: Socket; line: string }>();
  const full = new Subject<never>();
  let coming = seats;
  let speaking = seats;
  return (guest) => {
    const heard = said.pipe(
      filter(({ by }) => by !== guest),
      map(({ line }) => `${line}\n`),
    );
    // Until all have come nobody is read: what the early ones say waits in their sockets.
    const says = defer(() => {
      if (--coming === 0) full.complete();
      return concat(full, guest.pipe(data(), lines()));
    }).pipe(
      tap({
        next: (line) => said.next({ by: guest, line }),
        complete: () => --speaking === 0 && said.complete(),
      }),
    );
    return merge(heard, says.pipe(ignoreElements()));
  };
}

/** @param route How the guests get to the room. */
export async function chat(route: Route = direct): Promise<Outcome> {
  using meter = new Meter();
  const enter = room(GUESTS.length);
  const server = listen().pipe(serve((guest) => enter(meter.watch(guest))));

  // A guest says its lines, half-closes, and listens until the room closes.
  const visit = (door: Address, name: string) =>
    from(speech(name)).pipe(
      map((line) => `${line}\n`),
      through(meter.watch(connect(door))),
      lines(),
      toArray(),
    );

  const begin = performance.now();
  const visits = whileServing(server, (address) =>
    route(address, (door) => forkJoin(GUESTS.map((name) => visit(door, name)))),
  );
  const heard = await lastValueFrom(visits);
  const seconds = (performance.now() - begin) / 1000;

  const others = (guest: number) => GUESTS.filter((_, at) => at !== guest);
  const linesOf = (name: string, all: readonly string[]) => all.filter((line) => line.startsWith(`${name} `));
  const total = heard.flat().length;
  const expected = GUESTS.length * (GUESTS.length - 1) * EACH;
  const inOrder = heard.every((all, guest) =>
    others(guest).every((name) => linesOf(name, all).join('\n') === speech(name).join('\n')),
  );
  const echoes = heard.flatMap((all, guest) => linesOf(GUESTS[guest] ?? '', all)).length;
  return {
    bytes: meter.bytesSent,
    seconds,
    peakQueue: meter.queue.max,
    checks: [
      check(total === expected, `${GUESTS.join(', ')} heard ${number(total)} lines of ${number(expected)}`),
      check(inOrder, 'every line of every speaker came whole and in its order'),
      check(echoes === 0, 'nobody heard themselves'),
    ],
  };
}

function speech(name: string): string[] {
  return Array.from({ length: EACH }, (_, at) => `${name} says, for the ${at + 1}. time: naïve café, 東京, 🧦`);
}
