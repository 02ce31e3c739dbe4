// Limits on new connections besides maxConnections. They are asked before anything else is done with a connection.
import type * as net from 'node:net';
import type { Endpoint } from '../base/endpoint.js';
import type { DropEvent } from './events.js';

/** A limit on new connections. */
export interface Admission {
  /** Why a connection was dropped. */
  readonly reason: DropEvent['reason'];
  /**
   * Returns whether there is room for a new connection, and counts it if there is.
   * @param remote The client, also behind a proxy.
   */
  admits(stream: net.Socket, remote: Endpoint | undefined): boolean;
}
