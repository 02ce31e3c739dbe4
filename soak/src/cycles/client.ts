// The client of `cycles`. Every cycle closes its connection in one of several ways.
import { data, lengthPrefixed, lengthPrefixedCodec, type Socket, through } from '@rxsock/core';
import { filter, firstValueFrom, lastValueFrom, of, tap } from 'rxjs';
import { bytesOf } from '../bytes.js';
import type { Client } from '../clients.js';
import { inParallel } from '../pool.js';
import { Random } from '../random.js';
import { dial } from '../transports.js';
import type { CyclesJob } from './job.js';

const AT_ONCE = 32;
const LONGEST_MESSAGE = 60_000;
const framing = { lengthField: 4 } as const;
const codec = lengthPrefixedCodec(framing);

/** Sends a request, returns the answer, and closes the connection. */
type Exchange = (socket: Socket, request: Buffer) => Promise<Buffer>;

const exchanges: Readonly<Record<string, Exchange>> = {
  // The client's FIN comes right after the request.
  'the client ends first': (socket, request) =>
    lastValueFrom(of(codec.encode(request)).pipe(through(socket), lengthPrefixed(framing))),
  // The client waits for the server's FIN.
  'the server ends first': (socket, request) =>
    lastValueFrom(of(codec.encode(request)).pipe(through(socket, { end: false }), lengthPrefixed(framing))),
  // The client leaves as soon as it has the answer.
  'the client leaves': (socket, request) => {
    socket.next(codec.encode(request));
    return firstValueFrom(socket.pipe(data(), lengthPrefixed(framing)));
  },
  'the client closes': async (socket, request) => {
    const answer = firstValueFrom(socket.pipe(data(), lengthPrefixed(framing)));
    await socket.write(codec.encode(request));
    await answer;
    await socket.close();
    return answer;
  },
  'the client aborts': (socket, request) => {
    socket.next(codec.encode(request));
    return firstValueFrom(
      socket.pipe(
        data(),
        lengthPrefixed(framing),
        tap(() => socket.error('done')),
      ),
    );
  },
};

/** Nine of ten cycles end without an abort. */
const ways = Object.keys(exchanges).filter((way) => way !== 'the client aborts');

export const cyclesClient: Client<CyclesJob> = async ({ target, cycles, seed }, findings, queues) => {
  const random = new Random(seed);
  await inParallel(cycles, AT_ONCE, async (cycle) => {
    const way = random.chance(0.1) ? 'the client aborts' : random.pick(ways);
    const request = bytesOf(cycle, 0, random.size(1, LONGEST_MESSAGE));
    const socket = dial(target);
    const unwatch = queues.watch(socket);
    const closed = firstValueFrom(socket.readyStates.pipe(filter((state) => state === 'closed')));
    findings.count(way);
    try {
      const answer = await (exchanges[way] as Exchange)(socket, request);
      if (!answer.equals(request)) findings.violation('a wrong answer');
    } catch (error) {
      findings.error(error, `client, ${way}`);
    }
    await closed;
    unwatch();
  });
};
