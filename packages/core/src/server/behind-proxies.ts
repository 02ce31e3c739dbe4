// Servers behind proxies: reads the PROXY header of each accepted stream, before anybody else reads.
import type * as net from 'node:net';
import type { SchedulerLike } from 'rxjs';
import { type Endpoint, formatEndpoint } from '../base/endpoint.js';
import { SocketError, SocketTimeoutError } from '../base/errors.js';
import { setProxied } from '../engine/proxied-streams.js';
import { resetStream } from '../engine/stream-resets.js';
import type { ExpectedProxies } from '../proxy-protocol/trusted.js';
import { HeaderWait } from './header-wait.js';

export interface ProxyHandlers {
  /** @param received What the client has sent behind the header. */
  arrived(received?: Buffer): void;
  refused(error: SocketError): void;
}

/** Reads the header of a stream that a server has accepted, if the server believes its peer. */
export function expectHeader(
  stream: net.Socket,
  { isTrusted, timeout }: ExpectedProxies,
  scheduler: SchedulerLike,
  remote: Endpoint | undefined,
  { arrived, refused }: ProxyHandlers,
): void {
  const refusal = `Refused ${(remote && formatEndpoint(remote)) || 'a connection'} instead of a proxy`;
  const context = { phase: 'open', remote } as const;
  if (!isTrusted(stream.remoteAddress)) {
    // It has reset the connection already, as health checks do: nobody is left to refuse.
    if (stream.remoteAddress === undefined) return resetStream(stream);
    const message = `${refusal}: its address is not in proxyProtocol.trusted`;
    refused(new SocketError(message, { ...context, code: 'ERR_PROXY_UNTRUSTED' }));
    return resetStream(stream);
  }
  const late = () => {
    const message = `${refusal}: its PROXY header was not whole within proxyProtocol.timeout (${timeout} ms)`;
    return new SocketTimeoutError(message, { ...context, timeout: 'proxyProtocol.timeout', milliseconds: timeout });
  };
  const wrong = (cause: Error) =>
    new SocketError(`${refusal}: ${cause.message}`, { ...context, code: 'ERR_PROXY_PROTOCOL', cause });
  new HeaderWait(stream, timeout, scheduler, {
    arrived: (header, rest) => {
      setProxied(stream, { ...header, proxy: remote });
      arrived(rest.length > 0 ? rest : undefined);
    },
    refused: (reason) => refused(reason ? wrong(reason) : late()),
  });
}
