// A chat room: every guest hears the lines of the others. A guest's FIN means that it has nothing more to say. The room
// closes after the FIN of the last guest, and only then sends FIN to the guests.
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
const LINES_EACH = 1_000;

/** Creates a room for a number of guests. Returns its handler for serve(). */
function room(seats: number): (guest: Socket) => Observable<string> {
  const messages = new Subject<{ from: Socket; line: string }>();
  const everybodyIsHere = new Subject<never>();
  let missing = seats;
  let speaking = seats;
  return (guest) => {
    const fromOthers = messages.pipe(
      filter(({ from }) => from !== guest),
      map(({ line }) => `${line}\n`),
    );
    // The room reads nobody before all guests are here. Until then, what the first ones say waits in their sockets.
    const fromGuest = defer(() => {
      if (--missing === 0) everybodyIsHere.complete();
      return concat(everybodyIsHere, guest.pipe(data(), lines()));
    }).pipe(
      tap({
        next: (line) => messages.next({ from: guest, line }),
        complete: () => --speaking === 0 && messages.complete(),
      }),
    );
    return merge(fromOthers, fromGuest.pipe(ignoreElements()));
  };
}

/** @param route How the guests reach the room. */
export async function chat(route: Route = direct): Promise<Outcome> {
  using meter = new Meter();
  const enterRoom = room(GUESTS.length);
  const server = listen().pipe(serve((guest) => enterRoom(meter.watch(guest))));

  // A guest says its lines, half-closes, and listens until the room closes.
  const visit = (address: Address, name: string) =>
    from(speech(name)).pipe(
      map((line) => `${line}\n`),
      through(meter.watch(connect(address))),
      lines(),
      toArray(),
    );

  const start = performance.now();
  const visits = whileServing(server, (serverAddress) =>
    route(serverAddress, (address) => forkJoin(GUESTS.map((name) => visit(address, name)))),
  );
  const heard = await lastValueFrom(visits);
  const seconds = (performance.now() - start) / 1000;

  const others = (guest: number) => GUESTS.filter((_, index) => index !== guest);
  const linesOf = (name: string, all: readonly string[]) => all.filter((line) => line.startsWith(`${name} `));
  const total = heard.flat().length;
  const expected = GUESTS.length * (GUESTS.length - 1) * LINES_EACH;
  const inOrder = heard.every((all, guest) =>
    others(guest).every((name) => linesOf(name, all).join('\n') === speech(name).join('\n')),
  );
  const echoes = heard.flatMap((all, guest) => linesOf(GUESTS[guest] ?? '', all)).length;
  return {
    bytes: meter.bytesSent,
    seconds,
    peakQueue: meter.queue.max,
    checks: [
      check(total === expected, `${GUESTS.join(', ')} heard ${number(total)} of ${number(expected)} lines`),
      check(inOrder, 'every line of every speaker arrived whole and in order'),
      check(echoes === 0, 'nobody heard their own lines'),
    ],
  };
}

function speech(name: string): string[] {
  return Array.from({ length: LINES_EACH }, (_, index) => `${name} says line ${index + 1}: naïve café, 東京, 🧦`);
}
