// Files to send and save, and a receiver that recognises resets on every Node version.
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { open, readdir, writeFile } from 'node:fs/promises';
import type net from 'node:net';
import path from 'node:path';
import { type MockInstance, onTestFinished, vi } from 'vitest';
import { testFolder } from '../../../../tests/support/temporary-folder.js';

export type Handle = Awaited<ReturnType<typeof open>>;

/** A file of random bytes in its own directory. */
export async function fileOf(size: number): Promise<{ file: string; bytes: Buffer }> {
  const file = path.join(await testFolder(), 'file');
  const bytes = randomBytes(size);
  await writeFile(file, bytes);
  return { file, bytes };
}

export const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The names in a directory, including hidden ones. */
export const names = async (directory: string): Promise<string[]> => (await readdir(directory)).sort();

type Done<A extends unknown[] = []> = (error: Error | null, ...results: Partial<A>) => void;

/** The functions of `node:fs` that saveTo() writes with. */
interface FsFunctions {
  writev: (descriptor: number, chunks: Uint8Array[], done: Done<[written: number]>) => void;
  fsync: (descriptor: number, done: Done) => void;
  fchown: (descriptor: number, uid: number, gid: number, done: Done) => void;
  openSync: typeof fs.openSync;
}

/** Replaces a function of `node:fs` until the test is over. `original` is the replaced function. */
export function interceptFs<K extends keyof FsFunctions>(
  name: K,
): { spy: MockInstance<FsFunctions[K]>; original: FsFunctions[K] } {
  const original = fs[name] as FsFunctions[K];
  const spy = vi.spyOn(fs, name) as unknown as MockInstance<FsFunctions[K]>;
  onTestFinished(() => spy.mockRestore());
  return { spy, original };
}

/** Replaces a method of all file handles until the test is over. `original` is the replaced method. */
export async function interceptHandles<K extends 'read' | 'stat' | 'sync'>(
  method: K,
): Promise<{ spy: MockInstance; original: (this: Handle, ...args: never[]) => Promise<never> }> {
  const handle = await open('/dev/null');
  const prototype = Object.getPrototypeOf(handle) as Handle;
  await handle.close();
  const original = prototype[method] as never;
  const spy = vi.spyOn(prototype, method) as unknown as MockInstance;
  onTestFinished(() => spy.mockRestore());
  return { spy, original };
}

/** The handles whose size is read from now on: one for every file that is sent. */
export async function sentHandles(): Promise<Handle[]> {
  const { spy } = await interceptHandles('stat');
  return spy.mock.contexts as Handle[];
}

/**
 * Reads a plain socket to its end. Node 20 and 22 report a reset that follows data as an end, so an end counts only at
 * the second read.
 */
export async function receive(peer: net.Socket): Promise<{ bytes: Buffer; end: string }> {
  const inner = peer as unknown as { push(chunk: Buffer | null): boolean; _handle: { readStart(): void } | null };
  const push = inner.push.bind(peer);
  let suspected = false;
  inner.push = (chunk) => {
    if (chunk !== null || suspected || !inner._handle) return push(chunk);
    suspected = true;
    inner._handle.readStart();
    return false;
  };
  const chunks: Buffer[] = [];
  const end = await new Promise<string>((resolve) => {
    peer.on('data', (chunk: Buffer) => chunks.push(chunk));
    peer.once('end', () => resolve('end'));
    peer.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    peer.resume();
  });
  return { bytes: Buffer.concat(chunks), end };
}
