// The errors of datagram sockets, and their messages.
import { AbortedError, ConnectError, SocketError, type SocketErrorOptions } from '@rxsock/core';
import { formatAddress, markLocalDecision, reasonText } from '@rxsock/core/internal';
import type { Destination } from './events.js';
import type { SocketSetup } from './setup.js';

type SystemCause = NodeJS.ErrnoException & { readonly address?: string };

/** @param what What failed, for the message: `Cannot join 239.1.1.1`. */
export function systemError(
  what: string,
  cause: SystemCause,
  context: Omit<SocketErrorOptions, 'code' | 'cause'>,
): SocketError {
  return new SocketError(`${what}: ${cause.message}`, { ...context, code: cause.code ?? 'EIO', cause });
}

/** The socket could not be opened. */
export function openError(cause: SystemCause, { connectFrom, host, port }: SocketSetup): SocketError {
  const target = formatAddress(host, port);
  if (!connectFrom) return systemError(`Cannot bind to ${target}`, cause, { phase: 'open' });
  const { message, code = 'EIO', address } = cause;
  // The address of a failed bind() is our own.
  const attempts = address === undefined || cause.syscall === 'bind' ? [] : [{ address, port, code }];
  return new ConnectError(`Cannot connect to ${target}: ${message}`, { code, phase: 'open', cause, attempts });
}

/** A datagram could not be sent. */
export function sendError(cause: SystemCause, { address, port }: Destination): SocketError {
  const limits = cause.code === 'EMSGSIZE' ? ' (at most 65,507 bytes over IPv4, 65,527 over IPv6)' : '';
  return systemError(`Cannot send a datagram to ${formatAddress(address, port)}${limits}`, cause, { phase: 'write' });
}

export function abortedError(reason: unknown): AbortedError {
  const message = `The socket was aborted from this side${reasonText(reason)}`;
  return markLocalDecision(new AbortedError(message, { phase: 'close', cause: reason }));
}

/** @param isClosed `false` while the socket is still closing. */
export function closedError(isClosed: boolean): SocketError {
  return isClosed
    ? new SocketError('The socket is closed', { code: 'ERR_SOCKET_CLOSED', phase: 'write' })
    : new SocketError('The socket is closing: the datagram was not sent', {
        code: 'ERR_STREAM_WRITE_AFTER_END',
        phase: 'write',
      });
}
