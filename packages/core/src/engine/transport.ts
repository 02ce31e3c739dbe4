// What distinguishes one transport from another: how a stream is opened and secured, and how it is named in messages.
import type * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { type Endpoints, type InternetEndpoint, internetEndpoint } from '../base/endpoint.js';
import type { SocketError, SocketErrorOptions } from '../base/errors.js';
import type { ConnectionRole } from '../observe/messages.js';
import type { DialEvent } from './dial-events.js';
import { proxiedOf } from './proxied-streams.js';

/** How a transport opens a stream: it has the stream at once, or it dials. */
export type Transport = StreamTransport | DialTransport;

interface BaseTransport extends TransportNaming {
  /** Starts a handshake over the open stream. */
  secure?(stream: Duplex, handlers: HandshakeHandlers): void;
  /** Whether host names are looked up before the stream connects. */
  readonly resolves?: boolean;
  /** Which side of the connection this is. Default: `client`, unless the type is `duplex`. */
  readonly role?: ConnectionRole;
  /** The peer's name in messages. */
  readonly target: string;
}

/** A transport whose stream exists from the start, open or not. */
export interface StreamTransport extends BaseTransport {
  /** Returns the stream. Called once. */
  open(): Duplex;
  /** The event after which the stream is open; `undefined` if it is open from the start. */
  readonly readyEvent: 'connect' | 'secureConnect' | undefined;
  /** Called when all subscribers have received the end, before other listeners. */
  connectionClosed?(): void;
  /** Bytes of the peer that were taken from the stream before. */
  readonly received?: Buffer | undefined;
}

/** A transport that has no stream until a dial has succeeded: each attempt of the dial has a stream of its own. */
export interface DialTransport extends BaseTransport {
  /** Starts a dial. Called once. It calls no handler before it has returned. */
  dial(handlers: DialHandlers): Dial;
}

/** A dial in progress. */
export interface Dial {
  /** Gives up: resets every attempt. `closed` follows, and no other handler. Does nothing after the end of the dial. */
  cancel(): void;
}

/** What a dial reports. It ends with `dialled` or with `closed`, and then calls no handler again. */
export interface DialHandlers {
  dialProgressed(event: DialEvent): void;
  /**
   * @param stream The open stream. The dial removes its own listeners when this returns.
   * @param received Bytes of the peer that came during the dial.
   */
  dialled(stream: Duplex, received?: Buffer): void;
  /** No address could be connected to. `closed` follows. */
  failed(error: NodeJS.ErrnoException): void;
  /** The streams of all attempts have closed. */
  closed(): void;
}

/** What carries the bytes of a socket. `duplex` is a stream that was given to `fromDuplex`. */
export type TransportType = 'tcp' | 'tls' | 'unix' | 'duplex';

/** How a transport names itself, its endpoints and its errors. */
export interface TransportNaming {
  readonly type: TransportType;
  /** Returns both ends of an open stream. Default: {@link internetEndpoints}. */
  endpoints?(stream: Duplex): Endpoints;
  /** Returns an error of its own for a Node error; `undefined` where the default error says enough. */
  explain?(cause: NodeJS.ErrnoException, context: ErrorContext, stream?: Duplex): SocketError | undefined;
}

/** Where an error occurred. */
export type ErrorContext = Omit<SocketErrorOptions, 'code' | 'cause'> & { readonly target: string };

/** The result of a handshake. One of the two is called, also if the stream beneath is destroyed. */
export interface HandshakeHandlers {
  /** @param stream The stream that carries the user's bytes from now on. */
  done(stream: Duplex): void;
  failed(error: Error): void;
}

/** Returns both ends of an open stream. Behind a proxy that has told its client, the remote end is the client's. */
export function endpointsOf({ endpoints = internetEndpoints }: TransportNaming, stream: Duplex): Endpoints {
  const { local, remote } = endpoints(stream);
  return { local, remote: proxiedOf(stream)?.source ?? remote };
}

/** Returns both ends of a stream over IP. */
export function internetEndpoints(stream: Duplex): Endpoints {
  return { local: localEndpoint(stream), remote: remoteEndpoint(stream) };
}

/** Returns this end of a stream over IP. */
export function localEndpoint(stream: Duplex): InternetEndpoint | undefined {
  const { localAddress, localPort, localFamily } = stream as net.Socket;
  return internetEndpoint(localAddress, localPort, localFamily);
}

/** Returns the peer's end of a stream over IP. */
export function remoteEndpoint(stream: Duplex): InternetEndpoint | undefined {
  const { remoteAddress, remotePort, remoteFamily } = stream as net.Socket;
  return internetEndpoint(remoteAddress, remotePort, remoteFamily);
}
