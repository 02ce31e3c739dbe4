// Samples figures every millisecond while a step runs, and keeps the largest of each.
import type { Socket } from '@rxsock/core';
import { interval } from 'rxjs';

/** The memory of this process (client, server and all) when the tour began, in bytes. */
const atStart = process.memoryUsage.rss();

/** A figure that is being sampled. */
export interface Peak {
  /** The largest so far. */
  readonly max: number;
}

export class Meter implements Disposable {
  readonly #sockets = new Set<Socket>();
  readonly #samples: (() => void)[] = [];
  readonly #sampling = interval(1).subscribe(() => this.#sample());

  /** Bytes that wait to be sent, in the watched socket where most do. */
  readonly queue = this.peak(() => Math.max(0, ...[...this.#sockets].map((socket) => socket.writableLength)));
  /** Bytes of memory that the whole process has taken on top of what it had when the tour began. */
  readonly memory = this.peak(() => process.memoryUsage.rss() - atStart);

  /** Samples the write queue of a socket from now on. */
  watch(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket;
  }

  /** Bytes that all watched sockets have sent. */
  get bytesSent(): number {
    return [...this.#sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  }

  /** Samples any figure from now on. */
  peak(figure: () => number): Peak {
    const peak = { max: 0 };
    this.#samples.push(() => {
      peak.max = Math.max(peak.max, figure());
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
