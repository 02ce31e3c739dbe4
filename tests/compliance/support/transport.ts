// What the suite needs to know of a transport: how it listens and dials, and what it has not.
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

/** What a transport may have or not. A behaviour needs it, or needs that it is not there: `!reset`. */
export interface Capabilities {
  /** It listens and dials; without, two sockets are joined from birth. */
  readonly server: boolean;
  /** An abort is told to the peer as an error; without, as an end. */
  readonly reset: boolean;
  /** That error is a ResetError always; without, it may also be that of a stream that was cut. */
  readonly resetError: boolean;
}

export type Need = keyof Capabilities | `!${keyof Capabilities}`;

/** A transport that listens and dials. */
export interface DialledTransport {
  /** As the table shows it. */
  readonly name: string;
  readonly has: Capabilities & { readonly server: true };
  /** On any free address. */
  listen(options: ListenOptions): Server;
  connect(address: Endpoint, options: DialOptions): Socket;
  /** An address at which nobody listens until the test is over. */
  nowhere(): Promise<Endpoint>;
}

/** A transport of sockets that are joined from birth, all on the scheduler they are given. */
export interface JoinedTransport {
  readonly name: string;
  readonly has: Capabilities & { readonly server: false };
  join(options: SocketOptions): readonly [Socket, Socket];
}

export type Transport = DialledTransport | JoinedTransport;

/** Whether a transport is as a behaviour needs it. */
export function satisfies({ has }: Transport, needs: readonly Need[]): boolean {
  return needs.every((need) =>
    need.startsWith('!') ? !has[need.slice(1) as keyof Capabilities] : has[need as keyof Capabilities],
  );
}
