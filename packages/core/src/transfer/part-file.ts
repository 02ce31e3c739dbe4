// A file that is written under a temporary name in the same folder, and renamed when it is complete.
import fs, { type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { SocketError } from '../base/errors.js';
import { exitCleanup } from './exit-cleanup.js';
import { directoryError } from './file-error.js';
import { keepOwner } from './keep-owner.js';
import { keptPath, partPath, removeStaleParts } from './part-name.js';
import { keepPart, restMode, resumePart } from './resume-part.js';
import type { ResolvedSaveToOptions } from './save-to-options.js';

/** More chunks than this are copied into one buffer: a system call takes a limited number of them. */
const MANY = 64;

/** The errors for a folder that cannot be synced: this user may not read it, or its file system does not support it. */
const CANNOT_SYNC = new Set(['EACCES', 'EPERM', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

export class PartFile {
  /** How many bytes earlier transfers have left in it. */
  readonly resumedAt: number;
  readonly #temporary: string;
  /** Its name after a failure. `undefined`: it is removed. */
  readonly #kept: string | undefined;
  readonly #final: string;
  readonly #options: ResolvedSaveToOptions;
  /** The file that it replaces, as it was at the start. */
  readonly #old: Stats | undefined;
  /** `undefined` when it is closed. */
  #descriptor: number | undefined;

  private constructor(final: string, old: Stats | undefined, options: ResolvedSaveToOptions) {
    const { resume } = options;
    this.#temporary = partPath(final, resume);
    this.#kept = resume ? keptPath(final) : undefined;
    this.#final = final;
    this.#old = old;
    this.#options = options;
    // Until its owner is set, only this user may open it, whatever the permissions of the old file. To resume it, this
    // user must be able to.
    const wanted = old ? old.mode & 0o700 : (options.mode ?? 0o666);
    const mode = resume ? restMode(wanted) : wanted;
    exitCleanup().add(this.#temporary, this.#kept);
    try {
      // Synchronous: the thread pool could create the file while the process exits, after the exit listener has run.
      const resumed = resume ? resumePart(final, this.#temporary, { mode, owner: old?.uid }) : undefined;
      this.#descriptor = resumed?.descriptor ?? fs.openSync(this.#temporary, 'wx', mode);
      this.resumedAt = resumed?.size ?? 0;
    } catch (error) {
      exitCleanup().delete(this.#temporary);
      throw error;
    }
  }

  /**
   * Creates the temporary file, or resumes an earlier one. If `name` is a symbolic link, the file that it points to is
   * created or replaced.
   */
  static async open(name: string, options: ResolvedSaveToOptions): Promise<PartFile> {
    const final = await followLinks(name);
    const old = await findOld(final);
    if (options.removeStale) await removeStaleParts(final, options.resume);
    return new PartFile(final, old, options);
  }

  /** Appends all bytes of all chunks. */
  async write(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks.length > MANY ? [Buffer.concat(chunks)] : chunks;
    while (rest.length > 0) {
      let written = await writev(this.#open, rest);
      // After a short write, the next write continues or fails with the reason.
      const at = rest.findIndex((chunk) => {
        if (chunk.length > written) return true;
        written -= chunk.length;
        return false;
      });
      if (at < 0) return;
      rest = [(rest[at] as Uint8Array).subarray(written), ...rest.slice(at + 1)];
    }
  }

  /**
   * Sets the owner and the mode, and closes the file. With `flush`, writes every byte to the disk before that, so that
   * not even a power failure leaves a part under the final name.
   */
  async finish(): Promise<void> {
    // Looks again: during a long transfer the old file may have changed.
    const old = (await findReplaced(this.#final)) ?? this.#old;
    const wanted = old ? await keepOwner(this.#open, old) : this.#options.mode;
    const { mode } = await promisify(fs.fstat)(this.#open);
    // Only if it differs: some file systems refuse every change.
    if (wanted !== undefined && wanted !== (mode & 0o777)) await promisify(fs.fchmod)(this.#open, wanted);
    if (this.#options.flush) await promisify(fs.fsync)(this.#open);
    await this.#close();
  }

  /** Renames the file to its final name. With `flush`, the new name is on the disk afterwards. */
  async commit(): Promise<void> {
    // Opened before the rename: if this fails, nothing has happened yet.
    const folder = this.#options.flush ? await openFolder(path.dirname(this.#final)) : undefined;
    try {
      await rename(this.#temporary, this.#final);
      exitCleanup().delete(this.#temporary);
      await folder?.sync().catch(ignoreUnsupported);
    } finally {
      await folder?.close();
    }
  }

  /** Removes the temporary file, or keeps it for the next transfer. */
  async leave(): Promise<void> {
    await this.#close().catch(() => {});
    try {
      if (this.#kept !== undefined) keepPart(this.#temporary, this.#kept);
    } catch {
      // Removed instead: otherwise it would be in use until this process ends.
    }
    await rm(this.#temporary, { force: true }).finally(() => exitCleanup().delete(this.#temporary));
  }

  get #open(): number {
    return this.#descriptor as number;
  }

  async #close(): Promise<void> {
    const descriptor = this.#descriptor;
    // Whatever close() reports, the descriptor is gone, and the system may give its number to another file.
    this.#descriptor = undefined;
    if (descriptor !== undefined) await promisify(fs.close)(descriptor);
  }
}

const writev = (descriptor: number, chunks: readonly Uint8Array[]): Promise<number> =>
  new Promise((resolve, reject) => {
    fs.writev(descriptor, chunks as Uint8Array[], (error, written) => (error ? reject(error) : resolve(written)));
  });

/**
 * Returns where `name` leads: the absolute path of a file, or of one that does not exist yet. The system resolves the
 * path, because node:path would take `..` after a link to another folder for the folder of the link.
 */
async function followLinks(name: string): Promise<string> {
  if (namesFolder(name)) throw directoryError();
  try {
    return await realpath(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const folder = await realpath(path.dirname(name));
  const file = path.join(folder, path.basename(name));
  const target = await readlink(file).catch(() => undefined);
  if (target === undefined) return file;
  return followLinks(path.isAbsolute(target) ? target : `${folder}${path.sep}${target}`);
}

/** Returns whether a path can lead only to a folder, by its end: a separator, `.` or `..`. */
function namesFolder(name: string): boolean {
  const last = name.split(path.sep === '/' ? '/' : /[\\/]/).at(-1) as string;
  return ['', '.', '..'].includes(last);
}

/** Returns the file that the rename will replace, if there is one. Throws if it is not a regular file. */
async function findOld(final: string): Promise<Stats | undefined> {
  const found = await stat(final).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (found?.isDirectory()) throw directoryError();
  if (!found || found.isFile()) return found || undefined;
  // The rename would replace a device, a pipe or a socket.
  const message = `Cannot write ${final}: it exists and is not a regular file: choose another name`;
  throw new SocketError(message, { code: 'ERR_FILE_NOT_REGULAR', phase: 'write' });
}

/**
 * Looks again at the end, when the path has been resolved. A link that has appeared there since then leads to a file of
 * somebody else's choice: the rename replaces the link, and what it leads to must not decide about the new file.
 */
async function findReplaced(final: string): Promise<Stats | undefined> {
  const found = await lstat(final).catch(() => undefined);
  return found?.isSymbolicLink() ? undefined : findOld(final);
}

/** Opens a folder in order to sync it. Returns `undefined` where that is impossible. */
async function openFolder(folder: string): Promise<FileHandle | undefined> {
  if (process.platform === 'win32') return undefined;
  return (await open(folder, 'r').catch(ignoreUnsupported)) ?? undefined;
}

function ignoreUnsupported(error: NodeJS.ErrnoException): void {
  if (!CANNOT_SYNC.has(error.code ?? '')) throw error;
}
