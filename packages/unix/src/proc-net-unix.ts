// Reads Linux's table of UNIX sockets, /proc/net/unix. Node does not know the path of a socket that it has inherited,
// nor which other processes have it open. Other systems have no such table.
import fs from 'node:fs';

// The columns are Num: RefCount Protocol Flags Type St Inode Path. The path is the rest of the line, and may be
// missing.
const rowOf = (inode: bigint) => new RegExp(`^\\S+:(?: +\\S+){5} +${inode}(?: (.*))?$`, 'm');

function findRow(inode: bigint): RegExpExecArray | null {
  try {
    return rowOf(inode).exec(fs.readFileSync('/proc/net/unix', 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Returns whether a process in this network namespace has the UNIX socket with this inode open. `false` without a
 * table.
 */
export const isListed = (inode: bigint): boolean => findRow(inode) !== null;

/**
 * Returns the name that a socket is bound to, an abstract one with its leading NUL; the empty string if it is unknown.
 */
export function boundName(inode: bigint): string {
  const name = findRow(inode)?.[1] ?? '';
  // The table shows each NUL of an abstract name as @. A name of the full length was padded with NULs.
  if (!name.startsWith('@')) return name;
  return `\0${Buffer.byteLength(name) === 108 ? name.slice(1).replace(/@+$/, '') : name.slice(1)}`;
}
