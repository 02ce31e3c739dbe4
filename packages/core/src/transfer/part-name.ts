// The names of part files. A name says which process writes the file, so that a later one can remove or resume it if
// that process was killed. Each kind has an ending of its own, so that no target can be named like the file of another.
//
//   .report.pdf.1c9f04ab-4711-8812345-5f0e77d2.part       is being written, and removed afterwards
//   .report.pdf.1c9f04ab-4711-8812345-5f0e77d2.resuming   is being written, and kept
//   .report.pdf.resume                                    is kept, and waits for the next transfer
//    target     host     pid  start   random
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

/** Most file systems take names of 255 bytes: the rest is for what follows the target. */
const LONGEST_TARGET = 180;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hostDigest = (): string => sha256(hostname()).slice(0, 8);

/** Whole digests, also for names that look like one: a peer that chooses the name must not reach the file of another. */
const prefixOf = (target: string): string => {
  const name = path.basename(target);
  const needsDigest = Buffer.byteLength(name) > LONGEST_TARGET || /^[0-9a-f]{64}$/.test(name);
  return `.${needsDigest ? sha256(name) : name}.`;
};

/** Returns a new name for a part file, in the folder of its target. */
export function partPath(target: string, resume: boolean): string {
  const owner = `${hostDigest()}-${process.pid}-${startOf(process.pid)}`;
  const ending = resume ? 'resuming' : 'part';
  return path.join(path.dirname(target), `${prefixOf(target)}${owner}-${randomUUID().slice(0, 8)}.${ending}`);
}

/** Returns the name of a part file that waits to be resumed. */
export function keptPath(target: string): string {
  return path.join(path.dirname(target), `${prefixOf(target)}resume`);
}

/** Returns the part files of a target that are being resumed on this host, or were when their process ended. */
export function resumingParts(target: string): { readonly file: string; readonly isInUse: boolean }[] {
  return ownedParts(target, readdirSync(path.dirname(target))).filter(({ file }) => file.endsWith('.resuming'));
}

/**
 * Removes the part files of a target whose process no longer runs on this host. Those of other hosts stay.
 * @param resume Whether those that can be resumed stay too.
 */
export async function removeStaleParts(target: string, resume: boolean): Promise<void> {
  const stale = ownedParts(target, await readdir(path.dirname(target)))
    .filter(({ file, isInUse }) => !isInUse && !(resume && file.endsWith('.resuming')))
    .map(({ file }) => file);
  if (!resume) stale.push(keptPath(target));
  // It may belong to another user, or be gone already. Either way it does not prevent this save.
  for (const file of stale) await rm(file, { force: true }).catch(() => {});
}

function ownedParts(target: string, names: readonly string[]): { file: string; isInUse: boolean }[] {
  const prefix = prefixOf(target);
  const host = hostDigest();
  return names.flatMap((name) => {
    if (!name.startsWith(prefix)) return [];
    const owner = /^([0-9a-f]{8})-(\d{1,10})-(\d+)-[0-9a-f]{8}\.(part|resuming)$/.exec(name.slice(prefix.length));
    if (!owner || owner[1] !== host) return [];
    return [{ file: path.join(path.dirname(target), name), isInUse: isRunning(Number(owner[2]), owner[3] as string) }];
  });
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
