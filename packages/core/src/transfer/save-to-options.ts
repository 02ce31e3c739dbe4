// The options of saveTo().
import { checkBoolean, checkInteger, checkOptions } from '../base/check.js';

/** Options of {@link saveTo}. */
export interface SaveToOptions {
  /**
   * The permissions of a new file, as a number up to `0o777`. The umask does not change them. A file that replaces
   * another one gets the permissions of that one. On Windows only the owner's permission to write counts.
   * @defaultValue `0o666` without the bits of the umask, as for every file that Node creates
   */
  readonly mode?: number | undefined;
  /**
   * Whether the file and its new name are written to the disk before the result completes. Then a power failure leaves
   * the old file or the whole new one, and after the completion the new one. With `false` the system writes them when
   * it likes: that is faster for many small files, but a power failure may leave a part of the file, or an empty file,
   * under the final name. The name alone cannot be flushed on Windows, on some network file systems, and in a folder
   * that this user may not read: there a power failure may bring the old file back.
   * @defaultValue `true`
   */
  readonly flush?: boolean | undefined;
  /**
   * Whether the temporary files that earlier processes have left for the same name are removed first. A file is removed
   * if it was made on this host (by host name) and its process no longer runs. The folder must be readable. Do not use
   * this in a folder that several containers with the same host name share: they do not see each other's processes.
   * @defaultValue `false`
   */
  readonly removeStale?: boolean | undefined;
}

/** The options with their defaults. `mode` has none: the system chooses. */
export interface ResolvedSaveToOptions {
  readonly mode: number | undefined;
  readonly flush: boolean;
  readonly removeStale: boolean;
}

/** Checks the options and fills in the defaults. */
export function resolveSaveToOptions(options: SaveToOptions): ResolvedSaveToOptions {
  checkOptions(options, '{ mode: 0o600 }');
  const { mode, flush = true, removeStale = false } = options;
  if (mode !== undefined) checkInteger('mode', mode, 0, 0o777, 'an integer from 0 to 0o777');
  checkBoolean('flush', flush);
  checkBoolean('removeStale', removeStale);
  return { mode, flush, removeStale };
}
