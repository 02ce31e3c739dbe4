// Files of servers that are gone: how to tell them, and how to take one away without harm to a server that is not.
import fs from 'node:fs';
import net from 'node:net';

/** The file at `path`, if it is a socket. */
export function socketAt(path: string): fs.BigIntStats | undefined {
  try {
    const file = fs.lstatSync(path, { bigint: true });
    return file.isSocket() ? file : undefined;
  } catch {
    return undefined;
  }
}

/** Whether nobody listens at `path`. It connects in order to try. */
export function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.on('connect', () => {
      probe.destroy();
      resolve(false);
    });
    // Whatever other error it is, somebody may be there: EAGAIN is a full backlog, EPROTOTYPE takes datagrams.
    probe.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}

/**
 * Removes the file at `path` if it is still the stale one. It is moved to `aside` first: should another process have put
 * its own there after the last look, that one is put back.
 */
export function takeAway(stale: fs.BigIntStats, path: string, aside: string): void {
  // The number of a file that is gone may be given to the next one: so the time counts, too.
  const isStale = (file?: fs.BigIntStats) => file && isSame(file, stale) && file.mtimeNs === stale.mtimeNs;
  if (!isStale(fs.lstatSync(path, { bigint: true, throwIfNoEntry: false }))) return;
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // somebody else was quicker
    throw error;
  }
  if (!isStale(fs.lstatSync(aside, { bigint: true }))) fs.linkSync(aside, path);
  fs.unlinkSync(aside);
}

/** Whether they are of one file. */
export const isSame = (a: fs.BigIntStats, b: fs.BigIntStats) => a.dev === b.dev && a.ino === b.ino;
