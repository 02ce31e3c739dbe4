// A question whose answer can only be known at its end. The client sends its numbers, then FIN; the server adds them up,
// and answers after that FIN, bit by bit: one direction of the connection is closed, and the other one goes on.
import { connect, data, lines, listen, serve, through } from '@rxsock/core';
import { concatMap, ignoreElements, lastValueFrom, map, merge, range, reduce, take, tap, timer, toArray } from 'rxjs';
import { Meter } from './kit/meter.js';
import { check, type Outcome } from './kit/outcome.js';
import { type Address, direct, type Route } from './kit/route.js';
import { whileServing } from './kit/while-serving.js';

const COUNT = 1_000;
const PIECES = ['The sum ', 'of what ', 'you sent ', 'is '];
const PAUSE = 150;

/** @param route How the client gets to the server. */
export async function halfClose(route: Route = direct): Promise<Outcome> {
  using meter = new Meter();

  // The server: reduce() has its result when data() completes, and that is at the client's FIN.
  const server = listen().pipe(
    serve((socket) =>
      meter.watch(socket).pipe(
        data(),
        lines(),
        reduce((sum, line) => sum + Number(line), 0),
        concatMap((sum) => {
          const pieces = [...PIECES, `${sum}\n`];
          return timer(PAUSE, PAUSE).pipe(
            take(pieces.length),
            map((at) => pieces[at] ?? ''),
          );
        }),
      ),
    ),
  );

  // The client: through() half-closes when its source completes, and reads on. We note what happens on its socket.
  const happened: string[] = [];
  const ask = (door: Address) => {
    const socket = meter.watch(connect(door));
    const noting = socket.pipe(tap(({ type }) => happened.push(type)));
    const asking = range(1, COUNT).pipe(
      map((n) => `${n}\n`),
      through(socket),
      lines(),
      toArray(),
    );
    return merge(noting.pipe(ignoreElements()), asking);
  };

  const answer = await lastValueFrom(whileServing(server, (address) => route(address, ask)));

  const expected = `${PIECES.join('')}${(COUNT * (COUNT + 1)) / 2}`;
  const pieces = happened.filter((type) => type === 'data').length;
  // What is before it is dialling, which is not the point here.
  const story = happened.slice(happened.indexOf('connect')).filter((type, at, all) => type !== all[at - 1]);
  const late = happened.includes('finish') && happened.indexOf('finish') < happened.indexOf('data');
  return {
    bytes: meter.bytesSent,
    peakQueue: meter.queue.max,
    checks: [
      check(answer.length === 1 && answer[0] === expected, `the answer: “${answer.join('\n')}”`),
      check(late, `it came after our FIN: ${story.join(' → ')}`),
      check(pieces > 1, `it came in ${pieces} pieces, ${PAUSE} ms apart`),
    ],
  };
}
