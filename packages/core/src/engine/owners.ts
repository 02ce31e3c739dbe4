// Whose a stream is that a server has accepted: of one that was upgraded, the connection that has it now.
import type { Duplex } from 'node:stream';
import type { Connection } from './connection.js';

const owners = new WeakMap<Duplex, Connection>();

/** The stream beneath one of TLS, else itself. Where Node does not tell, it is itself, too. */
export function beneath(stream: Duplex): Duplex {
  return (stream as { readonly _parent?: Duplex | null })._parent ?? stream;
}

export function own(stream: Duplex, connection: Connection): void {
  owners.set(beneath(stream), connection);
}

/** The connection over a stream that a server has accepted; `undefined` while its handshake is going on. */
export function ownerOf(stream: Duplex): Connection | undefined {
  return owners.get(stream);
}
