// What the tests with other programs have in common: our servers, their servers, and a folder for their files.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DropEvent, type Endpoint, type HandlerResult, type Server, type Socket, serve } from '@rxsock/core';
import { onTestFinished } from 'vitest';
import { Program } from '../support/program.js';

/** A server of ours that listens. */
export interface Served<A extends Endpoint> {
  readonly address: A;
  /** What its connections have failed with. */
  readonly errors: unknown[];
  /** Those that it did not let in. */
  readonly drops: DropEvent[];
}

/** Serves until the test is over. */
export async function serving<A extends Endpoint>(
  server: Server<A>,
  handler: (socket: Socket) => HandlerResult,
): Promise<Served<A>> {
  const errors: unknown[] = [];
  const drops: DropEvent[] = [];
  onTestFinished(() => server.close({ drain: 0 }));
  const address = await new Promise<A>((resolve, reject) => {
    server.pipe(serve(handler, { onError: () => {} })).subscribe({
      next: (event) => {
        if (event.type === 'listening') resolve(event.address);
        if (event.type === 'connectionError') errors.push(event.error);
        if (event.type === 'drop') drops.push(event);
      },
      error: reject,
    });
  });
  return { address, errors, drops };
}

/** A program that listens. */
export interface Listening extends AsyncDisposable {
  readonly program: Program;
  readonly port: number;
}

/**
 * Starts a program that has to be told its port, and waits until it is ready; on another port if somebody was quicker to
 * take the first.
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

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a socat that listens on a free port for one connection; `to` is what it joins it with. */
export async function socatListener(options: string, to: string, ...flags: string[]): Promise<Listening> {
  const program = new Program('socat', ['-d', '-d', ...flags, `TCP-LISTEN:0,bind=127.0.0.1${options}`, to]);
  const [, port] = await program.printed(/listening on AF=2 127\.0\.0\.1:(\d+)/, 'stderr');
  return { program, port: Number(port), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

/** A new folder, which goes at the end of the block. Declare it before the programs that use it. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'rxsock-interop-'));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
