// Samples values every millisecond while a step runs, and keeps the largest of each.
import type { Socket } from '@rxsock/core';
import { interval } from 'rxjs';

/** The memory of this process, with client and server, when the tour started, in bytes. */
const memoryAtStart = process.memoryUsage.rss();

/** A value that is sampled. */
export interface Peak {
  /** The largest value so far. */
  readonly max: number;
}

export class Meter implements Disposable {
  readonly #sockets = new Set<Socket>();
  readonly #samples: (() => void)[] = [];
  readonly #sampling = interval(1).subscribe(() => this.#sample());

  /** The most bytes that waited to be sent in one of the watched sockets. */
  readonly queue = this.peak(() => Math.max(0, ...[...this.#sockets].map((socket) => socket.writableLength)));
  /** The most memory that the process used in addition to what it used at the start of the tour, in bytes. */
  readonly memory = this.peak(() => process.memoryUsage.rss() - memoryAtStart);

  /** Watches a socket: samples how many bytes wait to be sent, and counts the bytes that it sends. */
  watch(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket;
  }

  /** How many bytes all watched sockets have sent. */
  get bytesSent(): number {
    return [...this.#sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  }

  /** Samples any other value from now on. */
  peak(measure: () => number): Peak {
    const peak = { max: 0 };
    this.#samples.push(() => {
      peak.max = Math.max(peak.max, measure());
    });
    return peak;
  }

  #sample(): void {
    for (const sample of this.#samples) sample();
  }

  [Symbol.dispose](): void {
    this.#sampling.unsubscribe();
  }
}
