// The errors a datagram socket tells or ends with, and their words.
import { isIPv6 } from 'node:net';
import { AbortedError, ConnectError, type InternetEndpoint, SocketError } from '@rxsock/core';
import type { Item } from './item.js';
import type { Setup } from './options.js';

type Cause = NodeJS.ErrnoException;

/** @param address What the host was resolved to, as far as it was. */
export function openError(cause: Cause, address: string | undefined, { near, host, port }: Setup): SocketError {
  const { message, code = 'EIO' } = cause;
  const target = isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
  const options = { code, phase: 'open', cause } as const;
  if (!near) return new SocketError(`Cannot bind to ${target}: ${message}`, options);
  const attempts = address === undefined ? [] : [{ address, port, code }];
  return new ConnectError(`Cannot connect to ${target}: ${message}`, { ...options, attempts });
}

export function sendError(cause: Pick<Cause, 'message' | 'code'>, { datagram, bytes }: Item): SocketError {
  const { address, port } = datagram.remote;
  const hint = cause.code === 'EMSGSIZE' ? ': one datagram holds 65,507 bytes at most over IPv4, 65,527 over IPv6' : '';
  const message = `Cannot send ${bytes.length} bytes to ${address} port ${port}: ${cause.message}${hint}`;
  return new SocketError(message, { code: cause.code ?? 'EIO', phase: 'write', cause });
}

/** What the peer's system said to a datagram that was already out; to which, it does not say. */
export function refusedError(cause: Cause, local?: InternetEndpoint, remote?: InternetEndpoint): SocketError {
  const options = { code: cause.code ?? 'EIO', phase: 'write', local, remote, cause } as const;
  return new SocketError(`A datagram that was sent before has failed: ${cause.message}`, options);
}

export function membershipError(cause: Cause, local?: InternetEndpoint): SocketError {
  return new SocketError(cause.message, { code: cause.code ?? 'EIO', phase: 'open', local, cause });
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
