// An error in one line, without what it may quote of a connection.
import { AbortedError, FrameError, ReconnectError, SocketError } from '@rxsock/core';

/**
 * Describes an error in one line. A frame error, and what comes from the application, may quote what was received: the
 * reason of an abort, the failure of a setup, whatever a function throws. Of those, only the class and the code are shown.
 */
export function describeError(error: unknown): string {
  if (error instanceof ReconnectError) {
    const { cause } = error;
    return cause === undefined ? titleOf(error) : `${titleOf(error)} after ${describeOne(cause)}`;
  }
  return describeOne(error);
}

function describeOne(error: unknown): string {
  const title = titleOf(error);
  if (!(error instanceof SocketError) || error instanceof FrameError || error instanceof ReconnectError) return title;
  if (!(error instanceof AbortedError) && error.code !== 'ERR_SETUP_FAILED') return `${title}: ${error.message}`;
  return error.cause === undefined ? title : `${title}, because of ${titleOf(error.cause)}`;
}

/** The class and the code of an error. */
function titleOf(error: unknown): string {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  return [name, code].filter((part) => typeof part === 'string').join(' ') || 'a value that is no error';
}
