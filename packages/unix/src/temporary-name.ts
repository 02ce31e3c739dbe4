// The temporary name that a new socket is bound under before it is linked to its path.

/**
 * Follows the directory of the path; `mkdtemp` replaces each X by a letter or digit. When the server closes, libuv
 * unlinks this name once more. By then the temporary directory is gone, and another program could have made one of the
 * same name. Therefore the file has a name that no other program uses.
 */
export const TEMPORARY_SUFFIX = '/.XXXXXX/=';

/**
 * Returns whether a socket was bound under a temporary name. The system keeps that name, and does not know the link.
 */
export const isTemporaryName = (name: string): boolean => /\/\.[A-Za-z0-9]{6}\/=$/.test(name);
