// Files of servers that are gone: how to tell them, and how to take one away without harm to a server that is not.
import fs from 'node:fs';
import net from 'node:net';

/** The file at `path`, if it is a socket on which nobody listens. It connects in order to try. */
export function staleAt(path: string): Promise<fs.BigIntStats | undefined> {
  return new Promise((resolve) => {
    fs.lstat(path, { bigint: true }, (error, found) => {
      if (error || !found.isSocket()) return resolve(undefined);
      const probe = net.connect({ path });
      probe.on('connect', () => {
        probe.destroy();
        resolve(undefined);
      });
      // Whatever other error it is, somebody may be there: EAGAIN is a full backlog, EPROTOTYPE takes datagrams.
      probe.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED' ? found : undefined));
    });
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
  fs.renameSync(path, aside);
  if (!isStale(fs.lstatSync(aside, { bigint: true }))) fs.linkSync(aside, path);
  fs.unlinkSync(aside);
}

/** Whether they are of one file. */
export const isSame = (a: fs.BigIntStats, b: fs.BigIntStats) => a.dev === b.dev && a.ino === b.ino;
