// The errors a datagram socket tells or ends with, and their words.
import { AbortedError, ConnectError, SocketError, type SocketErrorOptions } from '@rxsock/core';
import type { Datagram } from './events.js';
import type { Setup } from './options.js';

type Cause = NodeJS.ErrnoException & { readonly address?: string };

/** An error of the system, and what it kept from happening. */
export function systemError(what: string, cause: Cause, where: Omit<SocketErrorOptions, 'code'>): SocketError {
  return new SocketError(`${what}: ${cause.message}`, { ...where, code: cause.code ?? 'EIO', cause });
}

export function openError(cause: Cause, { near, host, port }: Setup): SocketError {
  if (!near) return systemError(`Cannot bind to ${host} port ${port}`, cause, { phase: 'open' });
  const { message, code = 'EIO', address } = cause;
  const attempts = address === undefined ? [] : [{ address, port, code }];
  return new ConnectError(`Cannot connect to ${host} port ${port}: ${message}`, {
    code,
    phase: 'open',
    cause,
    attempts,
  });
}

export function sendError(cause: Cause, { remote: { address, port } }: Datagram): SocketError {
  const hint = cause.code === 'EMSGSIZE' ? ' (one holds 65,507 bytes at most over IPv4, 65,527 over IPv6)' : '';
  return systemError(`Cannot send a datagram to ${address} port ${port}${hint}`, cause, { phase: 'write' });
}

export function abortedError(reason: unknown): AbortedError {
  const why = reason instanceof Error ? `: ${reason.message}` : '';
  return new AbortedError(`The socket was aborted from this side${why}`, { phase: 'close', cause: reason });
}

/** @param closed Or only closing. */
export function closedError(closed: boolean): SocketError {
  const code = closed ? 'ERR_SOCKET_CLOSED' : 'ERR_STREAM_WRITE_AFTER_END';
  return new SocketError('The socket is closed, or closing', { code, phase: 'write' });
}
