// What the user's code throws, passes to a callback or gives as a reason. It may be any value, `undefined` included.
import { inspect } from 'node:util';

/**
 * Returns what was thrown if it is an error. Otherwise makes an error with its message and its code, and with the value
 * as its cause.
 */
export function asError(thrown: unknown): NodeJS.ErrnoException {
  if (thrown instanceof Error) return thrown;
  const { message, code } = Object(thrown) as Partial<NodeJS.ErrnoException>;
  const given = typeof message === 'string' ? message : thrown;
  const text =
    typeof given === 'string' && given !== ''
      ? given
      : `${inspect(thrown, { depth: 0 })} was given in place of an Error`;
  const error = new Error(text, { cause: thrown });
  return typeof code === 'string' ? Object.assign(error, { code }) : error;
}

/** Returns the end of a message about an abort: `: the reason`, or `''` if the reason has no text. */
export function reasonText(reason: unknown): string {
  const text = reason instanceof Error ? reason.message : reason;
  return typeof text === 'string' && text !== '' ? `: ${text}` : '';
}
