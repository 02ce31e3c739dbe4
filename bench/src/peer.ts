// The other end of the wire, seen from the measured process: a process of its own, so that its work is not counted.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export interface PeerOptions {
  /**
   * `blast` sends `amount` bytes and FIN; `sink` counts what it receives; `echo` sends it back; `ping` makes `amount`
   * round trips, one at a time.
   */
  readonly role: 'blast' | 'sink' | 'echo' | 'ping';
  readonly amount: number;
  /** For `blast`: a line feed ends every so many bytes. For `ping`: the size of a message. */
  readonly size?: number;
  /** For `blast`: counts what comes back, and not what is sent. */
  readonly back?: boolean;
}

/** What a peer says: where it listens, and at the end how much it has sent or received. */
export type PeerMessage = { readonly port: number } | { readonly count: number };

export class Peer {
  /** Where it listens. */
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #count: Promise<number>;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
    this.#count = once(process, 'message').then(([message]) => (message as { count: number }).count);
    this.#count.catch(() => {});
  }

  static async start(options: PeerOptions): Promise<Peer> {
    const child = fork(new URL('./peers/main.js', import.meta.url), [JSON.stringify(options)], { execArgv: [] });
    const [message] = await once(child, 'message');
    return new Peer(child, (message as { port: number }).port);
  }

  /** Has the peer dial the measured process instead of waiting for its call. */
  dial(port: number): void {
    this.#process.send({ dial: port });
  }

  /** Resolves when the peer's connection is closed: with the bytes, or round trips, that it has counted. */
  count(): Promise<number> {
    return this.#count;
  }

  stop(): void {
    this.#process.kill();
  }
}
