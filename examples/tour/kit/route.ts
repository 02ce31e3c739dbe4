// How clients reach a server: directly, or through something in between.
import type { Observable } from 'rxjs';

/** Where clients connect to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Runs clients of a server. Gives them the address to connect to, which may be that of a forwarder. */
export type Route = <T>(serverAddress: Address, runClients: (address: Address) => Observable<T>) => Observable<T>;

/** Clients connect to the server itself. */
export const direct: Route = (serverAddress, runClients) => runClients(serverAddress);
