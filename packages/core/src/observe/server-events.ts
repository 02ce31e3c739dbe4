// Publishes what happens to servers. Only the server calls these functions.
import type { Endpoint } from '../base/endpoint.js';
import type { SocketError } from '../base/errors.js';
import { serverChannels } from './channels.js';
import { liveServers } from './live.js';
import type {
  ServerCloseMessage,
  ServerConnectionMessage,
  ServerDrainingMessage,
  ServerDropMessage,
  ServerListeningMessage,
} from './messages.js';

const { listening, connection, drop, draining, close } = serverChannels;

/** The events of a server, as far as they are published. */
export type ObservedServerEvent =
  | { readonly type: 'listening'; readonly address: Endpoint }
  | { readonly type: 'connection'; readonly socket: object }
  | ({ readonly type: 'drop' } & Omit<ServerDropMessage<object>, 'server'>)
  | { readonly type: 'draining' };

/** The server begins to listen. */
export function serverOpens(server: object): void {
  liveServers.add(server);
}

/** Publishes an event before the subscribers of the server receive it. */
export function publishServerEvent(server: object, event: ObservedServerEvent): void {
  switch (event.type) {
    case 'listening': {
      const { address } = event;
      if (listening.hasSubscribers) listening.publish({ server, address } satisfies ServerListeningMessage<object>);
      break;
    }
    case 'connection': {
      const { socket } = event;
      if (connection.hasSubscribers)
        connection.publish({ server, socket } satisfies ServerConnectionMessage<object, object>);
      break;
    }
    case 'drop': {
      const { reason, remote, error } = event;
      if (drop.hasSubscribers) drop.publish({ server, reason, remote, error } satisfies ServerDropMessage<object>);
      break;
    }
    case 'draining':
      if (draining.hasSubscribers) draining.publish({ server } satisfies ServerDrainingMessage<object>);
  }
}

/** The server is closed. Publishes nothing for a server that has never begun to listen. */
export function publishServerClose(server: object, error: SocketError | undefined): void {
  if (liveServers.delete(server) && close.hasSubscribers)
    close.publish({ server, error } satisfies ServerCloseMessage<object>);
}
