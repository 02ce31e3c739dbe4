// A file that is written under a temporary name in the same directory, and renamed when it is complete.
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SocketError } from '../base/errors.js';

/** More chunks than this are copied into one buffer: a system call takes a limited number of them. */
const MANY = 64;

export class PartFile {
  readonly #handle: FileHandle;
  readonly #temporary: string;
  readonly #final: string;

  private constructor(handle: FileHandle, temporary: string, final: string) {
    this.#handle = handle;
    this.#temporary = temporary;
    this.#final = final;
  }

  /** Creates the temporary file. If `name` is a symbolic link, the file that it points to is replaced. */
  static async open(name: string | URL): Promise<PartFile> {
    const final = await finalPath(name instanceof URL ? fileURLToPath(name) : name);
    const temporary = path.join(path.dirname(final), `.${randomUUID()}.part`);
    return new PartFile(await open(temporary, 'wx'), temporary, final);
  }

  /** Appends all bytes of all chunks. */
  async write(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks.length > MANY ? [Buffer.concat(chunks)] : chunks;
    while (rest.length > 0) {
      let { bytesWritten } = await this.#handle.writev(rest as Uint8Array[]);
      // After a short write, the next write continues or fails with the reason.
      const at = rest.findIndex((chunk) => {
        if (chunk.length > bytesWritten) return true;
        bytesWritten -= chunk.length;
        return false;
      });
      if (at < 0) return;
      rest = [(rest[at] as Uint8Array).subarray(bytesWritten), ...rest.slice(at + 1)];
    }
  }

  /**
   * Writes every byte to the disk, so that not even a power failure leaves a part under the final name. Closes the
   * file.
   */
  async flush(): Promise<void> {
    await this.#handle.datasync();
    await this.#handle.close();
  }

  /** Renames the file to its final name. */
  async commit(): Promise<void> {
    await rename(this.#temporary, this.#final);
  }

  /** Removes the temporary file. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.#temporary, { force: true });
  }
}

async function finalPath(name: string): Promise<string> {
  try {
    const final = await realpath(name);
    const found = await stat(final);
    // The rename would replace a device, a pipe or a socket.
    if (!found.isFile() && !found.isDirectory()) {
      const message = `Cannot write ${name}: it exists and is not a regular file: choose another name`;
      throw new SocketError(message, { code: 'ERR_FILE_NOT_REGULAR', phase: 'write' });
    }
    if (found.isDirectory())
      throw Object.assign(new Error('EISDIR: illegal operation on a directory'), { code: 'EISDIR' });
    return final;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return name;
    throw error;
  }
}
