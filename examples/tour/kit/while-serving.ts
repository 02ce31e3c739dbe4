// Runs a server for as long as its clients run.
import type { ConnectionErrorEvent, InternetEndpoint, ServerEvent } from '@rxsock/core';
import { dematerialize, EMPTY, materialize, mergeMap, type Observable } from 'rxjs';
import type { Address } from './route.js';

/**
 * Starts a server, runs its clients when it listens, and emits what they emit. When the clients are done, the server
 * stops. If a connection fails on the server's side, the result fails too.
 */
export function whileServing<T>(
  server: Observable<ServerEvent<InternetEndpoint> | ConnectionErrorEvent>,
  runClients: (serverAddress: Address) => Observable<T>,
): Observable<T> {
  return server.pipe(
    mergeMap((event) => {
      if (event.type === 'connectionError') throw event.error;
      if (event.type !== 'listening') return EMPTY;
      const { address: host, port } = event.address;
      // mergeMap() waits for the server too. A materialized completion, unpacked below, ends both.
      return runClients({ host, port }).pipe(materialize());
    }),
    dematerialize(),
  );
}
