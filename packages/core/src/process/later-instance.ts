// The side of a later instance in a conversation with the first one: see instance-messages.ts.
import { FrameError, TruncatedFrameError } from '../base/errors.js';
import type { Reader } from '../reader/reader.js';
import type { Socket } from '../socket.js';
import { isConfirmation, type LaunchMessage, messageCodec, parseGreeting } from './instance-messages.js';

interface LaterInstanceOptions {
  readonly name: string;
  readonly args: readonly string[];
}

/**
 * Sends the arguments to the first instance, after it has identified itself. Resolves when it has confirmed them.
 * @param messages Reads from `socket`.
 * @param onIdentified Called with the process id of the first instance.
 * @throws As a rejection: FrameError for a message that is not part of the protocol; TruncatedFrameError if the
 * listener closes the connection; what the socket fails with.
 */
export async function deliverArguments(
  socket: Socket,
  messages: Reader,
  { name, args }: LaterInstanceOptions,
  onIdentified: (pid: number) => void,
): Promise<void> {
  const nextMessage = async () => {
    const message = await messages.readFrame(messageCodec);
    if (message === undefined) throw new TruncatedFrameError('The listener closed the connection', { buffered: 0 });
    return message;
  };
  const greeting = parseGreeting(await nextMessage());
  if (!greeting) throw new FrameError('The listener sent a message that is not a greeting');
  if (greeting.name !== name)
    throw new FrameError(`The listener identified itself as ${JSON.stringify(greeting.name)}`);
  onIdentified(greeting.pid);
  const launch: LaunchMessage = { args, cwd: process.cwd(), pid: process.pid };
  socket.next(messageCodec.encode(launch));
  if (!isConfirmation(await nextMessage())) throw new FrameError('The first instance did not confirm the arguments');
}
