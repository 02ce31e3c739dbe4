// maxConnections in a worker of a cluster.
import type * as net from 'node:net';
import type { Admission } from './admission.js';

/**
 * Counts the open connections of one worker. In a worker, Node would not drop the connections beyond
 * `net.Server.maxConnections`: it gives them back to the primary process, which offers them to the next worker. When all
 * workers are full, that never ends, and keeps the primary process busy.
 */
export class ConnectionLimit implements Admission {
  readonly reason = 'maxConnections';
  readonly #most: number;
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  admits(stream: net.Socket): boolean {
    if (this.#open >= this.#most) return false;
    this.#open++;
    stream.once('close', () => this.#open--);
    return true;
  }
}
