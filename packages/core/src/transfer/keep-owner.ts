// Gives a new file the owner, the group and the permissions of the file that it replaces.
import fs, { type Stats } from 'node:fs';
import { promisify } from 'node:util';

/**
 * Gives the open file the owner and the group of `old`, as far as this process may. Returns the mode that the file may
 * have then: that of `old` without the set-user-ID and set-group-ID bits, because new content must not inherit them.
 * If the group could not be kept, the new group gets no more permissions than everybody.
 */
export async function keepOwner(descriptor: number, old: Stats): Promise<number> {
  const chown = (uid: number, gid: number) =>
    promisify(fs.fchown)(descriptor, uid, gid).then(
      () => true,
      () => false, // Not permitted, unknown in this user namespace, or the file system has no owners.
    );
  const { uid, gid } = await promisify(fs.fstat)(descriptor);
  const isKept = (uid === old.uid && gid === old.gid) || (await chown(old.uid, old.gid));
  const isGroupKept = isKept || gid === old.gid || (await chown(uid, old.gid));
  const everybody = old.mode & 0o007;
  return old.mode & (isGroupKept ? 0o777 : 0o707 | (everybody << 3));
}
