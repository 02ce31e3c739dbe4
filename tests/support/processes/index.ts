// Processes that inherit descriptors, run from the build.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isPortFree, type Server } from '@rxsock/core';
import { onTestFinished } from 'vitest';
import { record } from '../record.js';

/** The file of a program of these tests. */
export const program = (name: string): string => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));

/** Starts `heir`, or another program, with these descriptors from 3 on; it is gone when the test is over. */
export function heir(descriptors: readonly number[], task: object, file = program('heir')): ChildProcess {
  const stdio = ['ignore', 'inherit', 'inherit', ...descriptors, 'ipc'] as const;
  const child = spawn(process.execPath, [file, JSON.stringify(task)], { stdio: [...stdio] });
  onTestFinished(() => exited(child));
  return child;
}

/** What a child says next. */
export async function said(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message');
  return message;
}

/** Ends a child, unless it has ended. */
export async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Makes a server listen; it is closed when the test is over. */
export async function listening<S extends Server>(server: S): Promise<S & { readonly fd: number }> {
  const { log } = record(server);
  onTestFinished(() => server.close({ drain: 0 }));
  while (log.length === 0) await new Promise(setImmediate);
  return server as S & { readonly fd: number };
}

/** A free port, below those that the system gives to clients: nobody gets it by chance. */
export async function instancePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    if (await isPortFree(port)) return port;
  }
}
