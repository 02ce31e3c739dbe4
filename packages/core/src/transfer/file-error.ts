// Errors about files, with advice.
import { inspect } from 'node:util';
import { SocketError } from '../base/errors.js';

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'give this process the permission',
  EDQUOT: 'the quota of this user is used up: make room and start again',
  EISDIR: 'this is a directory: name a file',
  EMFILE: 'this process has too many open files: run fewer transfers at a time or raise the limit (ulimit -n)',
  ENFILE: 'the system has too many open files: run fewer transfers at a time',
  ENOENT: 'check the path: the file, or a directory in it, does not exist',
  ENOSPC: 'the disk is full: make room and start again',
  ENOTDIR: 'check the path: a part of it is not a directory',
  EPERM: 'give this process the permission',
  EROFS: 'the file system is read-only: choose another place',
};

/** Returns the error for a file that cannot be read or written. A SocketError is returned unchanged. */
export function fileError(operation: 'read' | 'write', path: string, cause: unknown): SocketError {
  if (cause instanceof SocketError) return cause;
  const { message, code = 'EIO' } = cause as NodeJS.ErrnoException;
  const advice = ADVICE[code];
  return new SocketError(`Cannot ${operation} ${path}: ${message}${advice ? ` (${advice})` : ''}`, {
    code,
    phase: operation,
    cause,
  });
}

/** Throws a TypeError unless `file` is a path or a URL. */
export function checkPath(file: unknown): void {
  if (isPath(file)) return;
  throw new TypeError(`The file must be a path or a URL, not ${inspect(file, { depth: -1 })}`);
}

/** Throws a TypeError unless `file` is a path, a URL or a `FileHandle`. */
export function checkFile(file: unknown): void {
  if (isPath(file) || typeof (file as { readonly stat?: unknown } | null | undefined)?.stat === 'function') return;
  throw new TypeError(`The file must be a path, a URL or a FileHandle, not ${inspect(file, { depth: -1 })}`);
}

function isPath(file: unknown): boolean {
  return (typeof file === 'string' && file !== '') || file instanceof URL;
}
