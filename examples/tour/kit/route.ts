// Ways from clients to a server.
import type { Observable } from 'rxjs';

/** Where to connect to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Given the address of a server, runs its clients with the address that they shall connect to. */
export type Route = <T>(server: Address, clients: (door: Address) => Observable<T>) => Observable<T>;

/** Straight to the server. */
export const direct: Route = (server, clients) => clients(server);
