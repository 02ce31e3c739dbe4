// The other end of the connection, as the measured process sees it. It is a separate process, so that its work is not
// measured.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export interface PeerOptions {
  /**
   * `blast` sends `amount` bytes and FIN; `sink` counts what it receives; `echo` sends back what it receives; `ping`
   * makes `amount` round trips, one at a time; `cycle` opens `amount` connections, which end after one echo; `idle` opens
   * as many, which stay open.
   */
  readonly role: 'blast' | 'sink' | 'echo' | 'ping' | 'cycle' | 'idle';
  readonly amount: number;
  /** For `blast`: the length of a line, with its line feed. For `ping`: the length of a message. In bytes. */
  readonly size?: number;
  /** For `blast`: counts the bytes that come back instead of those that it sends. */
  readonly countReceived?: boolean;
}

/** The messages of a peer: first the port on which it listens; at the end its count of bytes or round trips. */
export type PeerMessage = { readonly port: number } | { readonly count: number };

export class Peer {
  /** The port on which it listens. */
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

  /** Makes the peer dial a server of the measured process. */
  dial(port: number): void {
    this.#process.send({ dial: port });
  }

  /** Resolves with the peer's count of bytes or round trips, when its connection is closed. */
  count(): Promise<number> {
    return this.#count;
  }

  stop(): void {
    this.#process.kill();
  }
}
