// What the suite needs to know about a transport: how it listens and dials, and what it lacks.
import type { Endpoint, Server, Socket, SocketOptions } from '@rxsock/core';

/** Options of dialling that every transport has. */
export interface DialOptions extends SocketOptions {
  readonly connectTimeout?: number;
}

/** Options of listening that every transport has. */
export interface ListenOptions extends SocketOptions {
  readonly maxConnections?: number;
  readonly claimTimeout?: number;
}

/** What a transport may have or lack. A behaviour needs it, or needs its absence: `!reset`. */
interface Capabilities {
  /** It listens and dials. Without it, two sockets are connected from the start. */
  readonly server: boolean;
  /** An abort reaches the peer as an error. Without it, as an end. */
  readonly reset: boolean;
  /** That error is always a ResetError. Without it, it may also be the error of a stream that was cut. */
  readonly resetError: boolean;
}

export type Need = keyof Capabilities | `!${keyof Capabilities}`;

/** A transport that listens and dials. */
export interface DialledTransport {
  /** Its name in the table. */
  readonly name: string;
  readonly has: Capabilities & { readonly server: true };
  /** Listens on any free address. */
  listen(options: ListenOptions): Server;
  connect(address: Endpoint, options: DialOptions): Socket;
  /** An address at which nobody listens until the test is over. */
  nowhere(): Promise<Endpoint>;
}

/** A transport of sockets that are connected from the start, all on the given scheduler. */
export interface JoinedTransport {
  readonly name: string;
  readonly has: Capabilities & { readonly server: false };
  join(options: SocketOptions): readonly [Socket, Socket];
}

export type Transport = DialledTransport | JoinedTransport;

/** Whether a transport has what a behaviour needs. */
export function satisfies({ has }: Transport, needs: readonly Need[]): boolean {
  return needs.every((need) =>
    need.startsWith('!') ? !has[need.slice(1) as keyof Capabilities] : has[need as keyof Capabilities],
  );
}
