// A server of ours whose connections another library serves.

import type { Socket, SocketDuplex } from '@rxsock/core';
import { connections, type InternetEndpoint, type ListeningEvent, type Server, toDuplex } from '@rxsock/core';
import { onTestFinished } from 'vitest';

/** Listens until the test is over, and passes each connection as a Duplex. Returns the port. */
export async function duplexServer(
  server: Server<InternetEndpoint>,
  onDuplex: (duplex: SocketDuplex, socket: Socket) => void,
): Promise<number> {
  onTestFinished(() => server.close({ drain: 0 }));
  server.pipe(connections()).subscribe((socket) => onDuplex(toDuplex(socket), socket));
  return new Promise((resolve) => {
    server.subscribe((event) => {
      if (event.type === 'listening') resolve((event as ListeningEvent<InternetEndpoint>).address.port);
    });
  });
}
