// Limits on new connections besides maxConnections. They are asked before anything else is done with a connection.
import type net from 'node:net';
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

/**
 * Asks about every new connection before the listeners that the server has now: the TLS handshake starts in one of
 * them.
 */
export function admitOnly(server: net.Server, admits: (stream: net.Socket) => boolean): void {
  const listeners = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (stream) => {
    if (admits(stream)) for (const listener of listeners) listener.call(server, stream);
  });
}
