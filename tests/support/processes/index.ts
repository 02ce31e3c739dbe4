// Child processes that inherit descriptors and run the build.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Server } from '@rxsock/core';
import { isPortFree } from '@rxsock/core/lookup';
import { onTestFinished } from 'vitest';
import { record } from '../record.js';

/** The file of a program of these tests. */
export const program = (name: string): string => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));

/**
 * Starts `inherit-listener`, or another program, with these descriptors from 3 on. It is killed when the test is over.
 */
export function startChild(
  descriptors: readonly number[],
  task: object,
  file = program('inherit-listener'),
): ChildProcess {
  const stdio = ['ignore', 'inherit', 'inherit', ...descriptors, 'ipc'] as const;
  const child = spawn(process.execPath, [file, JSON.stringify(task)], { stdio: [...stdio] });
  onTestFinished(() => killChild(child));
  return child;
}

/** The next message of a child process. */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message');
  return message;
}

/** Kills a child process, unless it has exited. */
export async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Makes a server listen. It is closed when the test is over. */
export async function listening<S extends Server>(server: S): Promise<S & { readonly fd: number }> {
  const { log } = record(server);
  onTestFinished(() => server.close({ drain: 0 }));
  while (log.length === 0) await new Promise(setImmediate);
  return server as S & { readonly fd: number };
}

/** A free port below those that the system assigns to clients, so that no other program gets it by chance. */
export async function instancePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    if (await isPortFree(port)) return port;
  }
}
