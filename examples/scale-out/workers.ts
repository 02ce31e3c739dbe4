// Keeps a number of cluster workers running, and replaces them one after another.
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { messageOf } from '../cli.js';

/** How long a worker may take until it listens, in milliseconds. */
const READY_TIMEOUT = 30_000;
/** How long to wait before a worker that crashed is started again, in milliseconds. */
const RESTART_DELAY = 1_000;

/** Workers that listen on the same address. Each one sends this address as its first message, once it listens. */
export class Workers {
  readonly #size: number;
  readonly #current = new Set<Worker>();
  #stopping = false;
  #restarting = false;

  /** @param program The file that the workers run, with the arguments of this process. */
  constructor(size: number, program: string) {
    this.#size = size;
    cluster.setupPrimary({ exec: program });
  }

  /**
   * Starts the workers. From then on, a worker that crashes is started again.
   * @returns Resolves to their address when all of them listen.
   * @throws As a rejection: Error if a worker ends before it listens. The others are stopped.
   */
  async start(): Promise<string> {
    try {
      const started = await Promise.all(Array.from({ length: this.#size }, () => this.#startOne()));
      return started[0]?.address ?? '';
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /**
   * Replaces one worker after another: starts a new one, waits until it listens, and lets the old one finish. So no
   * connection is refused. The new ones read the program from the disk again. Does nothing during another restart.
   * @param onReplaced Called with the process ids of a new worker and the old one, when the old one has exited.
   * @throws As a rejection: Error if a new worker ends before it listens. The old ones keep running.
   */
  async restart(onReplaced: (pid: number, old: number) => void): Promise<void> {
    if (this.#restarting) return;
    this.#restarting = true;
    try {
      for (const old of [...this.#current]) {
        const { worker } = await this.#startOne();
        this.#current.delete(old);
        if (!old.isDead()) {
          old.process.kill('SIGTERM');
          await once(old, 'exit');
        }
        onReplaced(worker.process.pid as number, old.process.pid as number);
      }
    } finally {
      this.#restarting = false;
    }
  }

  /** Lets all workers finish, and starts no more. */
  stop(): void {
    this.#stopping = true;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
  }

  async #startOne(): Promise<{ readonly worker: Worker; readonly address: string }> {
    const worker = cluster.fork();
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), READY_TIMEOUT);
    const exit = once(worker, 'exit').then(([code, signal]) => {
      throw new Error(`Process ${worker.process.pid} ended (${signal ?? code}) before it listened`);
    });
    try {
      // The event 'listening' of a worker does not come with `reusePort`.
      const [address] = await Promise.race([once(worker, 'message'), exit]);
      this.#current.add(worker);
      worker.once('exit', () => this.#exited(worker));
      return { worker, address };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Starts a worker again after a crash. */
  #exited(worker: Worker): void {
    if (!this.#current.delete(worker) || this.#stopping) return;
    console.error(`Process ${worker.process.pid} has crashed`);
    const startAgain = () => {
      if (this.#stopping || this.#current.size >= this.#size) return;
      this.#startOne().catch((error) => {
        console.error(messageOf(error));
        setTimeout(startAgain, RESTART_DELAY);
      });
    };
    setTimeout(startAgain, RESTART_DELAY);
  }
}
