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
  /**
   * Whether to append to what an earlier transfer with `resume` has left of this file, and to leave it again if this one
   * stops too. At rest it is called `.NAME.resume`, in the folder of the file; a NAME of more than 180 bytes becomes its
   * SHA-256. Remove it to begin again; so does `removeStale` without `resume`.
   *
   * The first value of the result tells how many bytes are there. Ask the peer for the rest only then: the first byte of
   * the source is appended. Nobody compares the old bytes with those of the peer. If its file may have changed, or after
   * a power failure, compare a hash before you use the file.
   *
   * One transfer at a time may resume a file: `ERR_FILE_IN_USE`. One that was unsubscribed is waited for. The other
   * processes on this host are seen as with `removeStale`, with the same advice about containers. What another user can
   * have written or may change, such as a link, is refused: `ERR_FILE_NOT_RESUMABLE`. The folder must be readable.
   * @defaultValue `false`
   */
  readonly resume?: boolean | undefined;
}

/** The options with their defaults. `mode` has none: the system chooses. */
export interface ResolvedSaveToOptions {
  readonly mode: number | undefined;
  readonly flush: boolean;
  readonly removeStale: boolean;
  readonly resume: boolean;
}

/** Checks the options and fills in the defaults. */
export function resolveSaveToOptions(options: SaveToOptions): ResolvedSaveToOptions {
  checkOptions(options, '{ mode: 0o600 }');
  const { mode, flush = true, removeStale = false, resume = false } = options;
  if (mode !== undefined) checkInteger('mode', mode, 0, 0o777, 'an integer from 0 to 0o777');
  checkBoolean('flush', flush);
  checkBoolean('removeStale', removeStale);
  checkBoolean('resume', resume);
  return { mode, flush, removeStale, resume };
}
