// One connection that a server has accepted: what its engine must know of it, in one object for each.
import type { Duplex } from 'node:stream';
import { type Endpoint, formatEndpoint } from '../base/endpoint.js';
import { Connection } from '../engine/connection.js';
import type { SocketLimits } from '../engine/limits.js';
import { endpointsOf, type StreamTransport, type TransportNaming } from '../engine/transport.js';
import type { Acceptor } from '../engine/usage.js';
import { Socket } from '../socket.js';
import type { DropEvent } from './events.js';

/** What an accepted connection needs of its server. */
export interface AcceptingServer {
  readonly naming: Required<TransportNaming>;
  readonly socketLimits: SocketLimits;
  /** In milliseconds. */
  readonly claimTimeout: number;
  /** What the server listens on, for messages. */
  readonly target: string;
  drop(reason: DropEvent['reason'], remote: Endpoint | undefined): void;
  /** A connection has closed, and its subscribers have received the end. */
  closed(socket: Socket): void;
}

export class AcceptedConnection implements StreamTransport, Acceptor {
  readonly socket: Socket;
  /** Bytes of the peer that were taken from the stream before. */
  readonly received: Buffer | undefined;
  readonly #stream: Duplex;
  readonly #server: AcceptingServer;

  constructor(server: AcceptingServer, stream: Duplex, received: Buffer | undefined) {
    this.#server = server;
    this.#stream = stream;
    this.received = received;
    this.socket = new Socket(new Connection(this, server.socketLimits, 'open'));
  }

  open(): Duplex {
    return this.#stream;
  }

  get readyEvent(): undefined {
    return undefined;
  }

  get role(): 'server' {
    return 'server';
  }

  get type(): TransportNaming['type'] {
    return this.#server.naming.type;
  }

  get endpoints(): Required<TransportNaming>['endpoints'] {
    return this.#server.naming.endpoints;
  }

  get explain(): Required<TransportNaming>['explain'] {
    return this.#server.naming.explain;
  }

  // Messages name the peer, because the address that accepted it is the same for all.
  get target(): string {
    const { naming, target } = this.#server;
    // The stream does not know its peer any more when it has closed.
    const remote = this.socket?.remote ?? endpointsOf(naming, this.#stream).remote;
    return (remote && formatEndpoint(remote)) || target;
  }

  get claimTimeout(): number {
    return this.#server.claimTimeout;
  }

  unclaimed(): void {
    this.#server.drop('unclaimed', this.socket.remote);
    this.socket.error(new Error(`nobody subscribed within claimTimeout (${this.claimTimeout} ms)`));
  }

  connectionClosed(): void {
    this.#server.closed(this.socket);
  }
}
