// The names of part files. A name says which process writes the file, so that a later one can remove it if that process
// was killed:
//
//   .report.pdf.1c9f04ab-4711-8812345-5f0e77d2.part
//    target     host     pid  start   random
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

/** Most file systems take names of 255 bytes: the rest is for what follows the target. */
const LONGEST_TARGET = 180;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

const prefixOf = (target: string): string => {
  const name = path.basename(target);
  return Buffer.byteLength(name) > LONGEST_TARGET ? `.${digest(name)}.` : `.${name}.`;
};

/** Returns a new name for a part file, in the folder of its target. */
export function partPath(target: string): string {
  const owner = `${digest(hostname())}-${process.pid}-${startOf(process.pid)}`;
  return path.join(path.dirname(target), `${prefixOf(target)}${owner}-${randomUUID().slice(0, 8)}.part`);
}

/** Removes the part files of a target whose process no longer runs on this host. Those of other hosts stay. */
export async function removeStaleParts(target: string): Promise<void> {
  const folder = path.dirname(target);
  const prefix = prefixOf(target);
  const host = digest(hostname());
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const owner = /^([0-9a-f]{8})-(\d{1,10})-(\d+)-[0-9a-f]{8}\.part$/.exec(name.slice(prefix.length));
    if (!owner || owner[1] !== host || isRunning(Number(owner[2]), owner[3] as string)) continue;
    // It may belong to another user, or be gone already. Either way it does not prevent this save.
    await rm(path.join(folder, name), { force: true }).catch(() => {});
  }
}

/** Returns whether a process runs that has this id and was started at this time. */
function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startOf(pid);
  // The system may have given the id to a new process. Where the start is unknown, the process counts as the same.
  return start === UNKNOWN || now === UNKNOWN || now === start;
}

const UNKNOWN = '0';

/** Returns when a process was started, in clock ticks since the system was. Known on Linux only. */
function startOf(pid: number): string {
  try {
    // Field 22. The second field is the name of the program in parentheses, which may contain anything.
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[19] ?? UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}
