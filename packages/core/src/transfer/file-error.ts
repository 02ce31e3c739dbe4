// Errors about files, with advice.
import type { FileHandle } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { checkString, typeError } from '../base/check.js';
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

/** The error of Node for a directory where a file is needed. */
export function directoryError(): NodeJS.ErrnoException {
  return Object.assign(new Error('EISDIR: illegal operation on a directory'), { code: 'EISDIR' });
}

/** Returns the path that `file` names. Throws a TypeError unless it is a path or a `file:` URL. */
export function checkPath(file: unknown): string {
  // Refuses other URLs.
  const name = file instanceof URL ? fileURLToPath(file) : file;
  checkString('file', name, 'a path or a file: URL');
  return name as string;
}

/** Returns the path that `file` names, or the `FileHandle`. Throws a TypeError for anything else. */
export function checkFile(file: unknown): string | FileHandle {
  if (typeof (file as Partial<FileHandle> | null | undefined)?.stat === 'function') return file as FileHandle;
  if (typeof file === 'string' || file instanceof URL) return checkPath(file);
  throw typeError('file', 'a path, a file: URL or a FileHandle', file);
}
