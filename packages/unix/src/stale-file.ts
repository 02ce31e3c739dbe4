// Finds and removes the file of a server that has died, without harm to a server that is alive.
import fs, { type BigIntStats } from 'node:fs';
import net from 'node:net';
import { isSameUnchangedFile } from './file-identity.js';

/** Returns the file at `path` if it is a socket. Does not follow links. */
export function findSocketFile(path: string): BigIntStats | undefined {
  try {
    const file = fs.lstatSync(path, { bigint: true });
    return file.isSocket() ? file : undefined;
  } catch {
    return undefined;
  }
}

/** Connects to `path`. Resolves with `true` if the system refuses: nobody listens there. */
export function isConnectionRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.on('connect', () => {
      probe.destroy();
      resolve(false);
    });
    // With any other error a server may be there: EAGAIN is a full backlog, EPROTOTYPE a socket for datagrams.
    probe.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}

/**
 * Removes the file at `path` if it is still the stale one. Moves it to `aside` before: if another process has put its
 * own file at `path` after the last check, that file is put back.
 */
export function removeStaleFile(stale: BigIntStats, path: string, aside: string): void {
  const isStale = (file: BigIntStats | undefined) => file !== undefined && isSameUnchangedFile(file, stale);
  if (!isStale(fs.lstatSync(path, { bigint: true, throwIfNoEntry: false }))) return;
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // Another process has removed it.
    throw error;
  }
  if (!isStale(fs.lstatSync(aside, { bigint: true }))) fs.linkSync(aside, path);
  fs.unlinkSync(aside);
}
