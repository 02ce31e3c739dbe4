// The ways to run the chat of examples/scale-out.ts, and what its processes cost. Reads /proc, so it needs Linux.
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpuOf, freePort, startUntil, stop } from '../programs.js';

const CHAT = fileURLToPath(new URL('../../../examples/dist/scale-out.js', import.meta.url));
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** One way to run the chat. */
export interface Setup {
  readonly name: string;
  readonly processes: number;
  readonly bus?: 'redis' | 'nats';
  readonly reusePort?: boolean;
}

/** The first one is what the others are compared with. */
export const setups: readonly Setup[] = [
  { name: 'one process, no bus', processes: 1 },
  { name: 'one process, Redis', processes: 1, bus: 'redis' },
  { name: 'one process, NATS', processes: 1, bus: 'nats' },
  { name: 'cluster of two, Redis', processes: 2, bus: 'redis' },
  { name: 'cluster of two, NATS', processes: 2, bus: 'nats' },
  // Node 22.12 is the first version that has it.
  ...(major > 22 || (major === 22 && minor >= 12)
    ? [{ name: 'reusePort, two, NATS', processes: 2, bus: 'nats', reusePort: true } as const]
    : []),
];

/** A running chat. */
export class Chat implements AsyncDisposable {
  readonly port: number;
  readonly #program: ChildProcess;

  private constructor(program: ChildProcess, port: number) {
    this.#program = program;
    this.port = port;
  }

  static async start({ processes, bus, reusePort }: Setup, urls: Readonly<Record<string, string>>): Promise<Chat> {
    const port = await freePort();
    const args = ['--port', port, '--processes', processes, ...(bus ? ['--bus', urls[bus]] : [])];
    const program = await startUntil(
      process.execPath,
      [CHAT, ...args, ...(reusePort ? ['--reuse-port'] : [])],
      /^Listening/,
    );
    return new Chat(program, port);
  }

  /** The CPU time that all its processes have used, in seconds. */
  cpu(): number {
    return cpuOf(this.#program.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#program);
  }
}

/** Starts Redis and NATS on free ports. */
export async function startBuses(): Promise<AsyncDisposable & { readonly urls: Record<string, string> }> {
  const [redis, nats] = [await freePort(), await freePort()];
  const programs = [
    await startUntil('redis-server', ['--port', redis, '--bind', '127.0.0.1', '--save', ''], /ready to accept/i),
    await startUntil('nats-server', ['--addr', '127.0.0.1', '--port', nats], /Server is ready/),
  ];
  return {
    urls: { redis: `redis://127.0.0.1:${redis}`, nats: `nats://127.0.0.1:${nats}` },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(programs.map(stop));
    },
  };
}
