// Tells whether a path still leads to the same file.
import type * as fs from 'node:fs';

export const isSameFile = (a: fs.BigIntStats, b: fs.BigIntStats): boolean => a.dev === b.dev && a.ino === b.ino;

/**
 * As `isSameFile()`, for a file that may have been deleted in the meantime: the system may give its inode number to a
 * new file, which then has another time.
 */
export const isSameUnchangedFile = (a: fs.BigIntStats, b: fs.BigIntStats): boolean =>
  isSameFile(a, b) && a.mtimeNs === b.mtimeNs;
