// Which connection owns a Node stream that a server has accepted. After an upgrade, another connection owns it.
import type { Duplex } from 'node:stream';

/** What a server does to the owner of a stream. */
export interface StreamOwner {
  abort(reason: unknown): void;
}

// A property of the stream, because an entry of a WeakMap costs more.
const OWNER = Symbol('rxsock.owner');

interface Owned {
  [OWNER]?: StreamOwner;
}

/**
 * Returns the stream beneath a TLS stream; any other stream itself, and also where Node does not show what is beneath.
 */
export function underlyingStream(stream: Duplex): Duplex {
  return (stream as { readonly _parent?: Duplex | null })._parent ?? stream;
}

export function setOwner(stream: Duplex, owner: StreamOwner): void {
  (underlyingStream(stream) as Owned)[OWNER] = owner;
}

/** Returns the owner of an accepted stream; `undefined` during its handshake. */
export function ownerOf(stream: Duplex): StreamOwner | undefined {
  return (stream as Owned)[OWNER];
}
