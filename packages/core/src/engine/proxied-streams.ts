// What the proxy before a stream has said, for as long as the stream lives: also after an upgrade of its connection.
import type { Duplex } from 'node:stream';
import type { Proxied } from '../proxy-protocol/proxied.js';
import { underlyingStream } from './owners.js';

const proxied = new WeakMap<Duplex, Proxied>();

export function setProxied(stream: Duplex, said: Proxied): void {
  proxied.set(stream, said);
}

export function proxiedOf(stream: Duplex): Proxied | undefined {
  return proxied.get(underlyingStream(stream));
}
