// One attempt of a dial: connects one stream to one address.
import type * as net from 'node:net';
import type { AttemptFailure } from '../engine/connection-errors.js';
import { resetStream } from '../engine/stream-resets.js';
import { codedError } from './addresses.js';

/** What an attempt reports: one of the two. */
export interface AttemptHandlers {
  /** The stream is open. The attempt removes its own listeners when this returns. */
  connected(): void;
  /**
   * The stream has closed.
   * @param error Why the attempt failed; `undefined` if it was reset from outside.
   */
  closed(error: NodeJS.ErrnoException | undefined): void;
}

/** Starts an attempt. Calls no handler before it returns. To give the attempt up, reset its stream. */
export function startAttempt(
  stream: net.Socket,
  to: net.TcpSocketConnectOpts & { readonly host: string },
  { connected, closed }: AttemptHandlers,
): void {
  let failure: NodeJS.ErrnoException | undefined;
  const onError = (error: Error) => {
    failure = withHint(error, to);
  };
  const onClose = () => closed(failure);
  // A stream that was reset keeps this listener, so that a late error is not unhandled.
  stream.on('error', onError);
  stream.once('close', onClose);
  stream.once('connect', () => {
    if (stream.destroyed) return;
    if (isSelfConnected(stream, to.port)) {
      const hint = 'the connection led back to this socket itself';
      const refusal = codedError('ECONNREFUSED', `connect ECONNREFUSED ${to.host}:${to.port}: ${hint}`);
      failure = Object.assign(refusal, { hint });
      // Not destroy(): the port would stay in TIME_WAIT, and the server that is expected there could not listen.
      return resetStream(stream);
    }
    connected();
    stream.off('error', onError).off('close', onClose);
  });
  try {
    stream.connect(to);
  } catch (error) {
    stream.destroy(error as Error);
  }
}

// If nobody listens on a port that the system uses for outgoing connections, it may give a dial this very port as its
// own. The socket then connects to itself (simultaneous open, RFC 9293, section 3.5).
function isSelfConnected(stream: net.Socket, port: number): boolean {
  return stream.localPort === port && stream.localAddress === stream.remoteAddress;
}

/** Adds a hint to an error about our own end, because its code alone would blame the peer. */
function withHint(error: NodeJS.ErrnoException, local: net.TcpSocketConnectOpts): AttemptFailure {
  const { localAddress, localPort } = local;
  // Some systems report a port in use at connect().
  if (error.code === 'EADDRINUSE' && localPort)
    return Object.assign(error, { hint: `localPort ${localPort} is in use` });
  if (error.syscall !== 'bind') return error;
  const hint =
    error.code === 'EADDRNOTAVAIL'
      ? `localAddress ${localAddress} is not an address of this host`
      : `localAddress ${localAddress}, localPort ${localPort} cannot be used`;
  return Object.assign(error, { hint });
}
