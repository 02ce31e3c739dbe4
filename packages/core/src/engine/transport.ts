// What tells one transport from another: how a stream is opened and secured, and what is said in its own way.
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import { type Endpoints, internetEndpoint } from '../base/endpoint.js';
import type { SocketError, SocketErrorOptions } from '../base/errors.js';

/** How a transport opens a stream. */
export interface Transport extends TransportNaming {
  /** Begins to open; called once. */
  open(): Duplex;
  /** The event after which the stream is open; `undefined` if it is from birth. */
  readonly readyEvent: 'connect' | 'secureConnect' | undefined;
  /** Lays a secure stream over the open one, and tells when it carries the user's bytes, or why it never will. */
  secure?(stream: Duplex, tell: HandshakeHandlers): void;
  /** Whether names are looked up before it connects. */
  readonly resolves?: boolean;
  /** Whom this goes to, for messages. */
  readonly target: string;
}

/** What carries the bytes of a socket; `duplex` for a stream of somebody else's. */
export type TransportType = 'tcp' | 'tls' | 'unix' | 'duplex';

/** What a transport says in its own way. */
export interface TransportNaming {
  /** What carries the bytes. */
  readonly type: TransportType;
  /** Both ends of an open stream. Default: those of IP. */
  endpoints?(stream: Duplex): Endpoints;
  /** An error that has a name of its own in this transport; `undefined` for all others. */
  explain?(cause: NodeJS.ErrnoException, where: ErrorContext, stream?: Duplex): SocketError | undefined;
}

/** Where an error came up that a transport may explain. */
export type ErrorContext = Omit<SocketErrorOptions, 'code' | 'cause'> & { readonly target: string };

/** How the securing of a stream went: one of the two is called, also when the stream beneath is destroyed. */
export interface HandshakeHandlers {
  done(secured: Duplex): void;
  failed(error: Error): void;
}

/** Both ends of a stream over IP; of one over TLS, too. */
export function internetEndpoints(stream: Duplex): Endpoints {
  const { localAddress, localPort, remoteAddress, remotePort } = stream as net.Socket;
  return { local: internetEndpoint(localAddress, localPort), remote: internetEndpoint(remoteAddress, remotePort) };
}
