// Real servers of publish and subscribe: Redis and NATS.
import { type Listening, startOnFreePort } from './listening-programs.js';
import { Program } from './program.js';

/** A running bus, which can be restarted on its port. */
export class RealBus implements AsyncDisposable {
  readonly port: number;
  readonly #kind: BusKind;
  #program: Program;

  private constructor(kind: BusKind, { port, program }: Listening) {
    this.#kind = kind;
    this.port = port;
    this.#program = program;
  }

  static async start(kind: BusKind): Promise<RealBus> {
    const { command, ready } = kinds[kind];
    const start = (port: number) => new Program(...command(port));
    return new RealBus(kind, await startOnFreePort(start, ready, kinds[kind].stream));
  }

  get url(): string {
    return `${this.#kind}://127.0.0.1:${this.port}`;
  }

  /** Ends the server without a farewell to its clients. */
  kill(): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }

  /** Starts the server again, on the same port. */
  async startAgain(): Promise<void> {
    const { command, ready, stream } = kinds[this.#kind];
    this.#program = new Program(...command(this.port));
    await this.#program.printed(ready, stream);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

export type BusKind = 'redis' | 'nats';

interface Kind {
  readonly command: (port: number) => [command: string, args: readonly string[]];
  readonly ready: RegExp;
  readonly stream: 'stdout' | 'stderr';
}

const kinds: Record<BusKind, Kind> = {
  redis: {
    command: (port) => ['redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '']],
    ready: /ready to accept connections/i,
    stream: 'stdout',
  },
  nats: {
    command: (port) => ['nats-server', ['--addr', '127.0.0.1', '--port', `${port}`]],
    ready: /Server is ready/,
    stream: 'stderr',
  },
};
