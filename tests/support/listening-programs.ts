// Programs that listen, and the ports on which they do.
import { once } from 'node:events';
import net from 'node:net';
import { expect } from 'vitest';
import { Program } from './program.js';

/** A program that listens. */
export interface Listening extends AsyncDisposable {
  readonly program: Program;
  readonly port: number;
}

/**
 * Starts a program that must be given its port, and waits until it is ready. Tries another port if the first one was
 * taken meanwhile.
 */
export async function startOnFreePort(
  start: (port: number) => Program,
  ready: RegExp,
  stream: 'stdout' | 'stderr',
): Promise<Listening> {
  for (;;) {
    const port = await freePort();
    const program = start(port);
    try {
      await program.printed(ready, stream);
      return { program, port, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
    } catch (error) {
      await program[Symbol.asyncDispose]();
      if (!/in use/.test(program.stdout + program.stderr)) throw error;
    }
  }
}

/** Starts a program that prints nothing when it listens, and waits until its port accepts connections. */
export async function startSilent(start: (port: number) => Program): Promise<Listening> {
  const port = await freePort();
  const program = start(port);
  const listens = () =>
    new Promise<boolean>((resolve) => {
      const probe = net.connect(port, '127.0.0.1', () => probe.destroy());
      probe.on('error', () => {}).on('close', (failed) => resolve(!failed));
    });
  await expect.poll(listens).toBe(true);
  return { program, port, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a socat that listens on a free port for one connection, and joins it with the address `to`. */
export async function socatListener(options: string, to: string, ...flags: string[]): Promise<Listening> {
  const program = new Program('socat', ['-d', '-d', ...flags, `TCP-LISTEN:0,bind=127.0.0.1${options}`, to]);
  const [, port] = await program.printed(/listening on AF=2 127\.0\.0\.1:(\d+)/, 'stderr');
  return { program, port: Number(port), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}
