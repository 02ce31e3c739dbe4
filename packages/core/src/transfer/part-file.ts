// A file under a temporary name, next to its final one, which it gets when it is complete.
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SocketError } from '../base/errors.js';

/** More buffers than the system takes in one write are copied into one. */
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

  /** Makes the temporary file. A final name that is a symbolic link stands for the file it points to. */
  static async open(name: string | URL): Promise<PartFile> {
    const final = await target(name instanceof URL ? fileURLToPath(name) : name);
    const temporary = path.join(path.dirname(final), `.${randomUUID()}.part`);
    return new PartFile(await open(temporary, 'wx'), temporary, final);
  }

  /** Appends all bytes of all chunks. */
  async write(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks.length > MANY ? [Buffer.concat(chunks)] : chunks;
    while (rest.length > 0) {
      let { bytesWritten } = await this.#handle.writev(rest as Uint8Array[]);
      // A short write: the next one tells why, or goes on.
      const at = rest.findIndex((chunk) => {
        if (chunk.length > bytesWritten) return true;
        bytesWritten -= chunk.length;
        return false;
      });
      if (at < 0) return;
      rest = [(rest[at] as Uint8Array).subarray(bytesWritten), ...rest.slice(at + 1)];
    }
  }

  /** Returns when every byte is on the disk: not even a power cut then leaves a part under the final name. */
  async flush(): Promise<void> {
    await this.#handle.datasync();
    await this.#handle.close();
  }

  /** Gives it its final name. */
  async commit(): Promise<void> {
    await rename(this.#temporary, this.#final);
  }

  /** Removes it. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.#temporary, { force: true });
  }
}

async function target(name: string): Promise<string> {
  try {
    const final = await realpath(name);
    const found = await stat(final);
    // Renaming would replace a device, a pipe or a socket.
    if (!found.isFile() && !found.isDirectory()) {
      const message = `Cannot write ${name}: something that is not a regular file has this name (choose another one)`;
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
