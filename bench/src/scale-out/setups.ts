// The ways to run the chat of examples/scale-out.ts, and what its processes cost. Reads /proc, so it needs Linux.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

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
    const { pid } = this.#program;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const pids = [pid, ...(children === '' ? [] : children.split(' '))];
    return pids.reduce<number>((sum, each) => {
      // The name of the program, in parentheses, may contain spaces. The system counts hundredths of a second.
      const fields = readFileSync(`/proc/${each}/stat`, 'utf8').replace(/.*\) /, '').split(' ');
      return sum + (Number(fields[11]) + Number(fields[12])) / 100;
    }, 0);
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

/** Starts a program, and waits until it prints a line that matches. */
async function startUntil(command: string, args: readonly unknown[], ready: RegExp): Promise<ChildProcess> {
  const program = spawn(command, args.map(String), { stdio: ['ignore', 'pipe', 'pipe'] });
  await once(program, 'spawn');
  return new Promise((resolve, reject) => {
    const read = (line: string) => void (ready.test(line) && resolve(program));
    for (const stream of [program.stdout, program.stderr]) createInterface(stream).on('line', read);
    program.once('exit', (code) => reject(new Error(`${command} ended with code ${code}`)));
  });
}

async function stop(program: ChildProcess): Promise<void> {
  const exit = once(program, 'exit');
  program.kill('SIGTERM');
  await exit;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}
