// A question that can only be answered at its end. The client sends numbers and FIN. The server adds them up and sends
// the sum in pieces after that FIN: one direction of the connection is closed, and the other one still works.
import { connect, data, lines, listen, serve, through } from '@rxsock/core';
import { concatMap, ignoreElements, lastValueFrom, map, merge, range, reduce, take, tap, timer, toArray } from 'rxjs';
import { Meter } from './kit/meter.js';
import { check, type Outcome } from './kit/outcome.js';
import { type Address, direct, type Route } from './kit/route.js';
import { whileServing } from './kit/while-serving.js';

const COUNT = 1_000;
const WORDS = ['The sum ', 'of your ', 'numbers ', 'is '];
const PAUSE = 150;

/** @param route How the client reaches the server. */
export async function halfClose(route: Route = direct): Promise<Outcome> {
  using meter = new Meter();

  // The server: at the client's FIN data() completes, and then reduce() emits the sum.
  const server = listen().pipe(
    serve((socket) =>
      meter.watch(socket).pipe(
        data(),
        lines(),
        reduce((sum, line) => sum + Number(line), 0),
        concatMap((sum) => {
          const pieces = [...WORDS, `${sum}\n`];
          return timer(PAUSE, PAUSE).pipe(
            take(pieces.length),
            map((index) => pieces[index] ?? ''),
          );
        }),
      ),
    ),
  );

  // The client: through() half-closes when its source completes, and goes on reading. We record the socket's events.
  const events: string[] = [];
  const ask = (address: Address) => {
    const socket = meter.watch(connect(address));
    const recording = socket.pipe(tap(({ type }) => events.push(type)));
    const answer = range(1, COUNT).pipe(
      map((n) => `${n}\n`),
      through(socket),
      lines(),
      toArray(),
    );
    return merge(recording.pipe(ignoreElements()), answer);
  };

  const answer = await lastValueFrom(whileServing(server, (serverAddress) => route(serverAddress, ask)));

  const expected = `${WORDS.join('')}${(COUNT * (COUNT + 1)) / 2}`;
  const pieces = events.filter((type) => type === 'data').length;
  // Without the events of dialling, and with repeated ones only once.
  const story = events.slice(events.indexOf('connect')).filter((type, index, all) => type !== all[index - 1]);
  const afterFin = events.includes('finish') && events.indexOf('finish') < events.indexOf('data');
  return {
    bytes: meter.bytesSent,
    peakQueue: meter.queue.max,
    checks: [
      check(answer.length === 1 && answer[0] === expected, `the answer: “${answer.join('\n')}”`),
      check(afterFin, `it came after our FIN: ${story.join(' → ')}`),
      check(pieces > 1, `it came in ${pieces} pieces, ${PAUSE} ms apart`),
    ],
  };
}
