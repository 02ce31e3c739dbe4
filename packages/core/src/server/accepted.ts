// The connections that a server has accepted: makes their sockets, tells of those that came to nothing, and cuts them off.
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import { type Endpoint, formatEndpoint } from '../base/endpoint.js';
import type { SocketError } from '../base/errors.js';
import type { ConnectionEvent, DropEvent } from '../base/events.js';
import { Connection } from '../engine/connection.js';
import type { SocketLimits } from '../engine/limits.js';
import { resetStream } from '../engine/node-internals.js';
import { ownerOf } from '../engine/owners.js';
import { internetEndpoints, type TransportNaming } from '../engine/transport.js';
import { connectionOf, Socket } from '../socket.js';

/** How a transport accepts. */
export interface AcceptTransport extends TransportNaming {
  /** The event that brings an accepted stream, paused. */
  readonly acceptEvent: 'connection' | 'secureConnection';
  /** What it listens on, for messages. */
  readonly target: string;
}

/** Limits of what is accepted. */
export interface AcceptedLimits {
  readonly socket: SocketLimits;
  readonly claimTimeout: number;
}

/** What they tell their server. */
export interface AcceptedHandlers {
  tell(event: ConnectionEvent | DropEvent): void;
  /** The last socket has told its end, for now. */
  emptied(): void;
}

export class AcceptedConnections {
  /** Those that are open. */
  readonly sockets = new Set<Socket>();
  /** All that is open, those that are none of `sockets` included: in a handshake, or upgraded. */
  readonly #streams = new Set<net.Socket>();
  readonly #accepting: AcceptTransport;
  readonly #dialect: Required<TransportNaming>;
  readonly #limits: AcceptedLimits;
  readonly #handlers: AcceptedHandlers;

  constructor(accepting: AcceptTransport, limits: AcceptedLimits, handlers: AcceptedHandlers) {
    const { type, endpoints = internetEndpoints, explain = () => undefined } = accepting;
    this.#accepting = accepting;
    this.#dialect = { type, endpoints, explain };
    this.#limits = limits;
    this.#handlers = handlers;
  }

  /** Takes what this server accepts. */
  attend(server: net.Server): void {
    server.on('connection', (stream: net.Socket) => {
      this.#streams.add(stream);
      stream.once('close', () => this.#streams.delete(stream));
    });
    server.on(this.#accepting.acceptEvent, (stream: Duplex) => this.#accept(stream));
    server.on('tlsClientError', (error: Error, stream: Duplex) => this.#handshakeFailed(error, stream));
    server.on('drop', (peer?: net.DropArgument) =>
      this.drop('maxConnections', this.#dialect.endpoints((peer ?? {}) as Duplex).remote),
    );
  }

  /** Tells of a connection that is none. */
  drop(reason: DropEvent['reason'], remote: Endpoint | undefined, error?: SocketError): void {
    this.#handlers.tell({ type: 'drop', reason, remote, error });
  }

  /** Aborts all. */
  cut(reason: unknown): void {
    for (const socket of this.sockets) socket.error(reason);
    for (const stream of this.#streams) {
      const owner = ownerOf(stream);
      // By its owner, who knows whether a FIN is on its way: a stream that is reset then would never close.
      if (owner) owner.abort(reason);
      else resetStream(stream);
    }
  }

  #accept(stream: Duplex): void {
    // Whether to end our side at the peer's FIN is for the socket to decide.
    stream.allowHalfOpen = true;
    const { socket: limits, claimTimeout } = this.#limits;
    const unclaimed = () => {
      this.drop('unclaimed', socket.remote);
      socket.error(new Error(`nobody subscribed within claimTimeout (${claimTimeout} ms)`));
    };
    const transport = { ...this.#dialect, target: this.#peerOf(stream), readyEvent: undefined, open: () => stream };
    const socket: Socket = new Socket(new Connection(transport, limits, { claimTimeout, unclaimed }));
    this.sockets.add(socket);
    connectionOf(socket).outcome.afterClose(() => {
      this.sockets.delete(socket);
      if (this.sockets.size === 0) this.#handlers.emptied();
    });
    this.#handlers.tell({ type: 'connection', socket });
  }

  // Messages name the peer: what it was accepted on is the same for all.
  #peerOf(stream: Duplex): string {
    const { remote } = this.#dialect.endpoints(stream);
    return (remote && formatEndpoint(remote)) || this.#accepting.target;
  }

  #handshakeFailed(cause: NodeJS.ErrnoException, stream: Duplex): void {
    const { local, remote } = this.#dialect.endpoints(stream);
    const target = this.#peerOf(stream);
    this.drop('handshake', remote, this.#dialect.explain(cause, { phase: 'open', target, local, remote }, stream));
  }
}
