// What Linux tells of the sockets of all processes. Node knows neither where one is bound that it was given, nor who else
// has it. Elsewhere nothing is known.
import fs from 'node:fs';

// Num: RefCount Protocol Flags Type St Inode Path, where the path is all the rest, and may be missing.
const row = (inode: bigint) => new RegExp(`^\\S+:(?: +\\S+){5} +${inode}(?: (.*))?$`, 'm');

function find(inode: bigint): RegExpExecArray | null {
  try {
    return row(inode).exec(fs.readFileSync('/proc/net/unix', 'utf8'));
  } catch {
    return null;
  }
}

/** Whether any process has the UNIX socket with this inode open, of those in the same network namespace. */
export const isListed = (inode: bigint): boolean => find(inode) !== null;

/** The name that the socket with this inode was bound to, an abstract one behind a NUL; empty where it is not known. */
export function boundName(inode: bigint): string {
  const name = find(inode)?.[1] ?? '';
  // The NULs of an abstract name are shown as @. One of the full length was filled up with them.
  if (!name.startsWith('@')) return name;
  return `\0${Buffer.byteLength(name) === 108 ? name.slice(1).replace(/@+$/, '') : name.slice(1)}`;
}
