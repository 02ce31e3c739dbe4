// What the first instance of a program says to a later one.
import { concat, defer, finalize, map, type Observable, of, type SchedulerLike, take } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { SocketTimeoutError } from '../base/errors.js';
import type { Chunk } from '../framing/codec.js';
import { data } from '../operators/data.js';
import { decode } from '../operators/decode.js';
import type { Socket } from '../socket.js';
import { asLaunch, type Greeting, type Launch, messages, TAKEN } from './instance-messages.js';

interface WelcomeOptions {
  readonly name: string;
  /** How long the other one may take to say what it was started with, in milliseconds. */
  readonly timeout: number;
  readonly scheduler: SchedulerLike;
}

/** Tells who this is, hears what the other one was started with, and that it was taken once `launched` has it. */
export function welcome(
  socket: Socket,
  { name, timeout, scheduler }: WelcomeOptions,
  launched: (launch: Launch) => void,
): Observable<Chunk> {
  const greeting: Greeting = { singleInstance: 1, name, pid: process.pid };
  const silent = new Deadline(scheduler, timeout, () => {
    const message = `Nothing was said within ${timeout} ms, the timeout`;
    socket.error(new SocketTimeoutError(message, { phase: 'read', timeout: 'timeout', milliseconds: timeout }));
  });
  const answer = defer(() => {
    silent.start();
    return socket.pipe(data(), decode(messages), take(1));
  }).pipe(
    map((message) => {
      launched(asLaunch(message));
      return messages.encode(TAKEN);
    }),
    finalize(() => silent.stop()),
  );
  return concat(of(messages.encode(greeting)), answer);
}
