// The protocol between the first instance of a program and a later one. Each message is one line of JSON:
//
//     first → later   {"singleInstance":1,"name":"editor","pid":17}     at once: it identifies itself
//     later → first   {"args":["b.txt"],"cwd":"/home/joe","pid":23}      only if the name is its own
//     first → later   {"taken":true}                                     then FIN
//
// The first instance sends the first message, so that a later one sends nothing to a different program. A web page can
// make a browser connect, but the browser then sends a line of HTTP, which is not a valid message.
import { FrameError } from '../base/errors.js';
import { jsonLinesCodec } from '../framing/json-lines.js';

/** The longest message, in bytes. */
export const MAX_MESSAGE_LENGTH = 1_048_576;

export const messageCodec = jsonLinesCodec<unknown>({ maxLength: MAX_MESSAGE_LENGTH, trailing: 'error' });

/** How the first instance identifies itself. */
export interface Greeting {
  readonly singleInstance: 1;
  readonly name: string;
  readonly pid: number;
}

/** How a later instance was started. */
export interface LaunchMessage {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly pid: number;
}

/** The first instance has received the launch message. */
export const CONFIRMATION = { taken: true } as const;

/** Returns the message as a greeting, or `undefined` if it is something else. */
export function parseGreeting(message: unknown): Greeting | undefined {
  const { singleInstance, name, pid } = fieldsOf(message);
  if (singleInstance !== 1 || typeof name !== 'string' || !isPid(pid)) return undefined;
  return { singleInstance, name, pid };
}

/**
 * Returns the message as a launch message.
 * @throws FrameError if it is something else.
 */
export function parseLaunch(message: unknown): LaunchMessage {
  const { args, cwd, pid } = fieldsOf(message);
  const isStringArray = Array.isArray(args) && args.every((each) => typeof each === 'string');
  if (!isStringArray || typeof cwd !== 'string' || !isPid(pid))
    throw new FrameError('The message is not a launch message of singleInstance()');
  return { args, cwd, pid };
}

export function isConfirmation(message: unknown): boolean {
  return fieldsOf(message).taken === true;
}

/** Returns the message as an object, or an empty object if it is another JSON value. */
function fieldsOf(message: unknown): Readonly<Record<string, unknown>> {
  return typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {};
}

function isPid(pid: unknown): pid is number {
  return Number.isSafeInteger(pid);
}
