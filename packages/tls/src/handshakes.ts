// maxHandshakes: counts the handshakes that are in progress on a server.
import type * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { type Admission, underlyingStream } from '@rxsock/core/internal';

/** The handshakes in progress, by the TCP streams beneath. */
export class Handshakes implements Admission {
  readonly reason = 'maxHandshakes';
  readonly #most: number;
  readonly #streams = new Set<Duplex>();

  constructor(most: number) {
    this.#most = most;
  }

  admits(stream: net.Socket): boolean {
    if (this.#streams.size >= this.#most) return false;
    this.#streams.add(stream);
    // A handshake that fails closes its stream.
    stream.once('close', () => this.#streams.delete(stream));
    return true;
  }

  /** The handshake of this TLS stream has succeeded. */
  done(secure: Duplex): void {
    this.#streams.delete(underlyingStream(secure));
  }
}
