// The error of a connection that closed before everything was read or written.
import { SocketError } from './errors.js';

const MESSAGES = {
  read: 'The connection closed before the peer ended its side: what was received may be incomplete',
  write: 'The connection closed before everything was written to it',
};

export function prematureCloseError(phase: 'read' | 'write'): SocketError {
  return new SocketError(MESSAGES[phase], { code: 'ERR_STREAM_PREMATURE_CLOSE', phase });
}
