// The connections that a server has accepted: creates their sockets, emits drops, and aborts what is still open.
import type * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { type Endpoint, formatEndpoint } from '../base/endpoint.js';
import type { SocketError } from '../base/errors.js';
import type { SocketLimits } from '../engine/limits.js';
import { ownerOf, underlyingStream } from '../engine/owners.js';
import { resetStream } from '../engine/stream-resets.js';
import { endpointsOf, internetEndpoints, type TransportNaming } from '../engine/transport.js';
import { handshakeBegins, handshakeEnds } from '../observe/socket-events.js';
import type { ExpectedProxies } from '../proxy-protocol/trusted.js';
import { controlOf, type Socket } from '../socket.js';
import { AcceptedConnection, type AcceptingServer } from './accepted-connection.js';
import type { Admission } from './admission.js';
import { expectHeader } from './behind-proxies.js';
import type { ConnectionEvent, DropEvent } from './events.js';

/** How a transport accepts connections. */
export interface AcceptTransport extends TransportNaming {
  /** The event that brings an accepted, paused stream. */
  readonly acceptEvent: 'connection' | 'secureConnection';
  /** Limits on new connections besides `maxConnections`. */
  readonly admissions?: readonly Admission[];
  /** What the server listens on, for messages. */
  readonly target: string;
}

/** The limits of accepted connections. */
export interface AcceptedLimits {
  readonly socket: SocketLimits;
  readonly claimTimeout: number;
  /** Which senders to believe in the PROXY header that each connection begins with; `undefined` if there is none. */
  readonly proxies?: ExpectedProxies | undefined;
}

/** What the accepted connections report to their server. */
export interface AcceptedHandlers {
  emit(event: ConnectionEvent | DropEvent): void;
  /** The last socket has closed, and its subscribers have received the end. */
  emptied(): void;
}

export class AcceptedConnections implements AcceptingServer {
  /** The open sockets. */
  readonly sockets = new Set<Socket>();
  /** All open streams, including those in a handshake and those that were upgraded. */
  readonly #streams = new Set<net.Socket>();
  readonly #transport: AcceptTransport;
  readonly naming: Required<TransportNaming>;
  readonly #limits: AcceptedLimits;
  readonly #handlers: AcceptedHandlers;

  get socketLimits(): SocketLimits {
    return this.#limits.socket;
  }

  get claimTimeout(): number {
    return this.#limits.claimTimeout;
  }

  get target(): string {
    return this.#transport.target;
  }

  constructor(transport: AcceptTransport, limits: AcceptedLimits, handlers: AcceptedHandlers) {
    const { type, endpoints = internetEndpoints, explain = () => undefined } = transport;
    this.#transport = transport;
    this.naming = { type, endpoints, explain };
    this.#limits = limits;
    this.#handlers = handlers;
  }

  /** Accepts the connections of this Node server. */
  listenTo(server: net.Server): void {
    const isPlain = this.#transport.acceptEvent === 'connection';
    const streams = this.#streams;
    // One for all: `once()` would make two functions for each stream.
    const onClose = function (this: net.Socket) {
      streams.delete(this);
    };
    // They wait until it is clear that the connection is wanted: one of them begins the TLS handshake.
    const listeners = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (stream: net.Socket) => {
      streams.add(stream);
      stream.on('close', onClose);
      this.#afterHeader(stream, (received) => {
        if (!this.#admits(stream)) return;
        if (!isPlain) handshakeBegins(stream, this.#limits.socket.scheduler);
        if (!isPlain && received) stream.unshift(received);
        for (const listener of listeners) listener.call(server, stream);
        if (isPlain) this.#accept(stream, received);
      });
    });
    if (!isPlain) server.on('secureConnection', (stream: Duplex) => this.#accept(stream));
    server.on('tlsClientError', (error: Error, stream: Duplex) => this.#handshakeFailed(error, stream));
    server.on('drop', (peer?: net.DropArgument) =>
      this.drop('maxConnections', this.naming.endpoints((peer ?? {}) as Duplex).remote),
    );
  }

  /** Goes on at once if the connection does not begin with a PROXY header. */
  #afterHeader(stream: net.Socket, goOn: (received?: Buffer) => void): void {
    const { proxies, socket } = this.#limits;
    if (!proxies) return goOn();
    const { remote } = this.naming.endpoints(stream);
    const refused = (error: SocketError) => this.drop('proxyProtocol', remote, error);
    expectHeader(stream, proxies, socket.scheduler, remote, { arrived: goOn, refused });
  }

  /** Emits a drop. */
  drop(reason: DropEvent['reason'], remote: Endpoint | undefined, error?: SocketError): void {
    this.#handlers.emit({ type: 'drop', reason, remote, error });
  }

  /** Aborts all connections. */
  abort(reason: unknown): void {
    for (const socket of this.sockets) socket.error(reason);
    for (const stream of this.#streams) {
      const owner = ownerOf(stream);
      // Node never closes a stream that is reset while its FIN is on its way. The owner knows whether it is.
      if (owner) owner.abort(reason);
      else resetStream(stream);
    }
  }

  // A refused connection is closed as Node closes those beyond maxConnections.
  #admits(stream: net.Socket): boolean {
    const { admissions } = this.#transport;
    if (!admissions || admissions.length === 0) return true;
    const { remote } = endpointsOf(this.naming, stream);
    const refusing = admissions.find((admission) => !admission.admits(stream, remote));
    if (!refusing) return true;
    stream.destroy();
    this.drop(refusing.reason, remote);
    return false;
  }

  #accept(stream: Duplex, received?: Buffer): void {
    // The socket decides whether our side ends at the peer's FIN.
    stream.allowHalfOpen = true;
    const accepted = new AcceptedConnection(this, stream, received);
    const { socket } = accepted;
    const control = controlOf(socket);
    handshakeEnds(underlyingStream(stream), control);
    this.sockets.add(socket);
    this.#handlers.emit({ type: 'connection', socket });
    control.awaitClaim(accepted);
  }

  closed(socket: Socket): void {
    this.sockets.delete(socket);
    if (this.sockets.size === 0) this.#handlers.emptied();
  }

  #handshakeFailed(cause: NodeJS.ErrnoException, stream: Duplex): void {
    const { local, remote } = endpointsOf(this.naming, stream);
    const target = (remote && formatEndpoint(remote)) || this.target;
    this.drop('handshake', remote, this.naming.explain(cause, { phase: 'open', target, local, remote }, stream));
  }
}
