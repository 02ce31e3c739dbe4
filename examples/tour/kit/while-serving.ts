// A server that lives for as long as its clients do.
import type { ConnectionErrorEvent, InternetEndpoint, ServerEvent } from '@rxsock/core';
import { dematerialize, EMPTY, materialize, mergeMap, type Observable } from 'rxjs';
import type { Address } from './route.js';

/**
 * Runs a server, and emits what its clients do. When they are done the server stops, and a connection that fails on the
 * server's side fails all of it.
 */
export function whileServing<T>(
  server: Observable<ServerEvent<InternetEndpoint> | ConnectionErrorEvent>,
  clients: (server: Address) => Observable<T>,
): Observable<T> {
  return server.pipe(
    mergeMap((event) => {
      if (event.type === 'connectionError') throw event.error;
      if (event.type !== 'listening') return EMPTY;
      const { address: host, port } = event.address;
      return clients({ host, port }).pipe(materialize());
    }),
    dematerialize(),
  );
}
