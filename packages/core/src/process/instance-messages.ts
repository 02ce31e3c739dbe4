// What the first instance of a program and a later one say to each other, one JSON value a line:
//
//     first → later   {"singleInstance":1,"name":"editor","pid":17}     at once: who it is
//     later → first   {"args":["b.txt"],"cwd":"/home/joe","pid":23}      only if that is its own program
//     first → later   {"taken":true}                                     and FIN
//
// The first one speaks first, so that nothing is told to a program that is another. What a web page can make a browser
// send begins with a line of HTTP, and is none of these.
import { FrameError } from '../base/errors.js';
import { jsonLinesCodec } from '../framing/json-lines.js';

/** The most bytes of one message. */
export const LONGEST_MESSAGE = 1_048_576;

export const messages = jsonLinesCodec<unknown>({ maxLength: LONGEST_MESSAGE, trailing: 'error' });

/** Who the first instance says it is. */
export interface Greeting {
  readonly singleInstance: 1;
  readonly name: string;
  readonly pid: number;
}

/** What a later instance was started with. */
export interface Launch {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly pid: number;
}

export const TAKEN = { taken: true } as const;

/** The message as a greeting, if it is one. */
export function asGreeting(message: unknown): Greeting | undefined {
  const { singleInstance, name, pid } = fieldsOf(message);
  if (singleInstance !== 1 || typeof name !== 'string' || !isPid(pid)) return undefined;
  return { singleInstance, name, pid };
}

/** The message as a launch. */
export function asLaunch(message: unknown): Launch {
  const { args, cwd, pid } = fieldsOf(message);
  const isList = Array.isArray(args) && args.every((each) => typeof each === 'string');
  if (!isList || typeof cwd !== 'string' || !isPid(pid)) throw new FrameError('The message is not that of an instance');
  return { args, cwd, pid };
}

/** Whether the message says that the arguments were taken. */
export function isTaken(message: unknown): boolean {
  return fieldsOf(message).taken === true;
}

function fieldsOf(message: unknown): Readonly<Record<string, unknown>> {
  return typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {};
}

function isPid(pid: unknown): pid is number {
  return Number.isSafeInteger(pid);
}
