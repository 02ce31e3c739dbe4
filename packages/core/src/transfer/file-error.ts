// What goes wrong with a file, as errors that say what to do.
import { SocketError } from '../base/errors.js';

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'give this process the permission',
  EDQUOT: 'the quota of this user is used up: make room and begin anew',
  EISDIR: 'this is a directory: name a file',
  EMFILE: 'this process has too many open files: run fewer transfers at a time or raise the limit (ulimit -n)',
  ENFILE: 'the system has too many open files: run fewer transfers at a time',
  ENOENT: 'check the path: the file, or a directory in it, does not exist',
  ENOSPC: 'the disk is full: make room and begin anew',
  ENOTDIR: 'check the path: a part of it is not a directory',
  EPERM: 'give this process the permission',
  EROFS: 'the file system is read-only: choose another place',
};

/** The error for a file that cannot be read or written; one that is told already stays as it is. */
export function fileError(act: 'read' | 'write', path: string, cause: unknown): SocketError {
  if (cause instanceof SocketError) return cause;
  const { message, code = 'EIO' } = cause as NodeJS.ErrnoException;
  const advice = ADVICE[code];
  return new SocketError(`Cannot ${act} ${path}: ${message}${advice ? ` (${advice})` : ''}`, {
    code,
    phase: act,
    cause,
  });
}
