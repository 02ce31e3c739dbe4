// The error of a connection that closed before everything was read or written.
import { SocketError } from './errors.js';
import type { CloseReport } from './events.js';
import { markLocalDecision } from './local-decision.js';

const MESSAGES = {
  reply: 'The peer ended its side before the reply was complete',
  read: 'The connection closed before the peer ended its side: what was received may be incomplete',
  write: 'The connection closed before everything was written to it',
};

/** @param what What is missing. */
export function prematureCloseError(what: 'read' | 'write' | 'reply'): SocketError {
  const phase = what === 'write' ? 'write' : 'read';
  return new SocketError(MESSAGES[what], { code: 'ERR_STREAM_PREMATURE_CLOSE', phase });
}

/**
 * The error of bytes whose connection has closed without a failure and without `end`. If the connection ended with FIN,
 * this side has closed it and dropped what was not read.
 * @param report That of the `close` event; `undefined` if there was none.
 */
export function closedBeforeEndError(report: CloseReport | undefined): SocketError {
  const error = prematureCloseError('read');
  return report?.how === 'fin' ? markLocalDecision(error) : error;
}
