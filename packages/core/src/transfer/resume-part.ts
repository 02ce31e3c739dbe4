// Takes over the part file that an earlier transfer has left, and leaves one. A transfer takes it by renaming it to a
// name of its own: the system lets only one of several do so. Everything is synchronous, so that nothing of this process
// comes in between.
import fs, { type Stats } from 'node:fs';
import { SocketError } from '../base/errors.js';
import { keptPath, resumingParts } from './part-name.js';

/** What is accepted as a part file. */
interface Accepted {
  /** The permissions that it may have. It loses all others. */
  readonly mode: number;
  /** The owner of the file that it will replace. The part file may have this owner too. */
  readonly owner: number | undefined;
}

/**
 * Renames the part file of a target to `own` and opens it at its end. Returns `undefined` if there is none. Throws if
 * another transfer has it, or if another user may have written it.
 */
export function resumePart(
  target: string,
  own: string,
  accepted: Accepted,
): { readonly descriptor: number; readonly size: number } | undefined {
  const left = resumingParts(target);
  const inUse = left.find(({ isInUse }) => isInUse);
  if (inUse) throw inUseError(target, inUse.file);
  for (const part of [keptPath(target), ...left.map(({ file }) => file)]) {
    const stats = fs.lstatSync(part, { throwIfNoEntry: false });
    if (!stats) continue;
    // Checked before it is taken too: what is refused stays where it is.
    check(target, part, stats, accepted);
    take(target, part, own);
    try {
      return open(target, own, accepted);
    } catch (error) {
      fs.renameSync(own, part);
      throw error;
    }
  }
  return undefined;
}

/** The mode of a part file: this user can write it, and nobody else can. */
export function restMode(mode: number): number {
  return (mode & 0o755) | 0o600;
}

/** Gives a part file the name under which the next transfer finds it. An empty one is removed. */
export function keepPart(own: string, kept: string): void {
  const { size, mode } = fs.lstatSync(own);
  if (size === 0) return fs.rmSync(own);
  // It may have the mode of the final file already.
  if ((mode & 0o777) !== restMode(mode)) fs.chmodSync(own, restMode(mode));
  fs.renameSync(own, kept);
}

function take(target: string, part: string, own: string): void {
  try {
    fs.renameSync(part, own);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? inUseError(target, part) : error;
  }
}

function open(target: string, own: string, accepted: Accepted): { descriptor: number; size: number } {
  const { O_WRONLY, O_APPEND, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
  // Somebody may have replaced it: a link is not followed, and opening a named pipe does not wait for its reader.
  const descriptor = fs.openSync(own, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = fs.fstatSync(descriptor);
    check(target, own, stats, accepted);
    const { mode, size } = stats;
    if ((mode & 0o777 & ~accepted.mode) !== 0) fs.fchmodSync(descriptor, mode & accepted.mode & 0o777);
    return { descriptor, size };
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

function check(target: string, part: string, stats: Stats, { owner }: Accepted): void {
  const reason = refusal(stats, owner);
  if (reason === undefined) return;
  const message = `Cannot write ${target}: its part file ${part} ${reason}: remove it`;
  throw new SocketError(message, { code: 'ERR_FILE_NOT_RESUMABLE', phase: 'write' });
}

/** Returns why another user may have written this file, or may make it another one that must not be written. */
function refusal(stats: Stats, owner: number | undefined): string | undefined {
  if (!stats.isFile()) return 'is not a regular file';
  const user = process.geteuid?.();
  if (user !== undefined && stats.uid !== user && stats.uid !== owner) return 'belongs to another user';
  if ((stats.mode & 0o022) !== 0) return 'can be written by other users';
  return stats.nlink > 1 ? 'has another name, a hard link' : undefined;
}

function inUseError(target: string, part: string): SocketError {
  const message = `Cannot write ${target}: another transfer has its part file ${part}: wait until that one has ended`;
  return new SocketError(message, { code: 'ERR_FILE_IN_USE', phase: 'write' });
}
