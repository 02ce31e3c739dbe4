// The side of the first instance in a conversation with a later one: see instance-messages.ts.
import { concat, defer, finalize, map, type Observable, of, type SchedulerLike, take } from 'rxjs';
import type { Chunk } from '../base/bytes.js';
import { Deadline } from '../base/deadline.js';
import { SocketTimeoutError } from '../base/errors.js';
import { data } from '../operators/data.js';
import { decode } from '../operators/decode.js';
import type { Socket } from '../socket.js';
import { CONFIRMATION, type Greeting, type LaunchMessage, messageCodec, parseLaunch } from './instance-messages.js';

interface FirstInstanceOptions {
  readonly name: string;
  /** How long the later instance may take to send its arguments, in milliseconds. 0 and Infinity mean no limit. */
  readonly timeout: number;
  readonly scheduler: SchedulerLike;
}

/**
 * Returns the messages for a later instance: a greeting, and a confirmation after `onLaunch` has received the launch
 * message. A later instance that sends nothing within `timeout` is aborted.
 */
export function serveLaterInstance(
  socket: Socket,
  { name, timeout, scheduler }: FirstInstanceOptions,
  onLaunch: (launch: LaunchMessage) => void,
): Observable<Chunk> {
  const greeting: Greeting = { singleInstance: 1, name, pid: process.pid };
  const deadline = new Deadline(scheduler, timeout, () => {
    const message = `The later instance sent no arguments within timeout (${timeout} ms)`;
    socket.error(new SocketTimeoutError(message, { phase: 'read', timeout: 'timeout', milliseconds: timeout }));
  });
  const confirmation = defer(() => {
    deadline.start();
    return socket.pipe(data(), decode(messageCodec), take(1));
  }).pipe(
    map((message) => {
      onLaunch(parseLaunch(message));
      return messageCodec.encode(CONFIRMATION);
    }),
    finalize(() => deadline.stop()),
  );
  return concat(of(messageCodec.encode(greeting)), confirmation);
}
