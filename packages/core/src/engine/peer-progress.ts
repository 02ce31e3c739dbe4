// What the peer's kernel has taken, for the time limits that wait for progress of the writes.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { ProgressLook, ProgressMeter } from '../base/deadline.js';
import { bytesInKernel, queuedBytes } from './kernel-bytes.js';
import { KernelTable } from './kernel-table.js';

const tables = { tcp: new KernelTable('/proc/self/net/tcp'), tcp6: new KernelTable('/proc/self/net/tcp6') };

/**
 * Measures what the peer takes. At once it sees only what the kernel of this side has taken. A look sees what the
 * kernel of the peer has acknowledged, on Linux over TCP and TLS. Elsewhere it sees no more than `read`.
 */
export class PeerProgress implements ProgressMeter {
  readonly #stream: () => Duplex | undefined;

  constructor(stream: () => Duplex | undefined) {
    this.#stream = stream;
  }

  read(): number {
    const stream = this.#stream();
    return stream ? bytesInKernel(stream) : 0;
  }

  /** Over a stream that has no kernel beneath it, there is nothing to look at. */
  look(): Promise<ProgressLook> | undefined {
    return this.#stream() instanceof net.Socket ? this.#look() : undefined;
  }

  async #look(): Promise<ProgressLook> {
    const { taken, queued, unacknowledged } = await this.measure();
    return { progress: taken, unfinished: queued + unacknowledged > 0 };
  }

  /**
   * Measures how many bytes the peer has taken, how many libuv has not handed to the kernel, and how many of those that
   * the kernel has the peer has not acknowledged. Never rejects.
   */
  async measure(): Promise<{ readonly taken: number; readonly queued: number; readonly unacknowledged: number }> {
    const stream = this.#stream();
    if (!stream) return { taken: 0, queued: 0, unacknowledged: 0 };
    // Before the look: bytes that are written while it looks must not count as acknowledged.
    const given = bytesInKernel(stream);
    const queued = queuedBytes(stream);
    const unacknowledged = (await lookUp(stream as Duplex & Partial<net.Socket>)) ?? 0;
    return { taken: given - unacknowledged, queued, unacknowledged };
  }
}

async function lookUp(stream: Partial<net.Socket>): Promise<number | undefined> {
  if (process.platform !== 'linux' || !stream.localAddress) return undefined;
  // An IPv4 connection of an IPv6 socket is in the table of IPv6, and Node spells its address ::ffff:1.2.3.4.
  return tables[stream.localAddress.includes(':') ? 'tcp6' : 'tcp'].unacknowledged(stream);
}
