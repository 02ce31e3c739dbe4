// Both ends of the connections that a server over TCP has accepted.
import type { Duplex } from 'node:stream';
import type { Endpoints, InternetEndpoint } from '../base/endpoint.js';
import { underlyingStream } from '../engine/owners.js';
import { localEndpoint, remoteEndpoint } from '../engine/transport.js';

/** The addresses that stand for all addresses of the machine. */
const OF_ALL: ReadonlySet<string> = new Set(['0.0.0.0', '::', '::ffff:0.0.0.0']);

/**
 * A server that listens on one address accepts all connections there, so they share one local endpoint: asking the
 * system for each costs a system call, and memory. A server that listens on all addresses of the machine must ask.
 */
export class AcceptedEndpoints {
  #shared: InternetEndpoint | undefined;

  /** The server listens. */
  listening(address: InternetEndpoint): void {
    this.#shared = OF_ALL.has(address.address) ? undefined : address;
  }

  /** Returns both ends. After a failed handshake a TLS stream does not know them any more; the TCP stream still does. */
  of(stream: Duplex): Endpoints {
    const beneath = underlyingStream(stream);
    return { local: this.#shared ?? localEndpoint(beneath), remote: remoteEndpoint(beneath) };
  }
}
