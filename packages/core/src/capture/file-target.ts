// Where a capture is written to: files that are rotated, or a stream of the user.
import { type FileHandle, open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { fileError } from '../transfer/file-error.js';

/** Where a capture is written to. Calls wait for each other. */
export interface CaptureTarget {
  /** Whether the memory of the bytes may be used again when `write()` has resolved. */
  readonly copies: boolean;
  write(parts: readonly Buffer[]): Promise<void>;
  /** Begins the next file. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

export class FileTarget implements CaptureTarget {
  readonly copies = true;
  readonly #path: string;
  /** How many files are kept at most, the one that is written included. */
  readonly #files: number;
  #handle: FileHandle;

  private constructor(file: string, files: number, handle: FileHandle) {
    this.#path = file;
    this.#files = files;
    this.#handle = handle;
  }

  /** @throws As a rejection: SocketError with Node's code. */
  static async open(file: string, files: number): Promise<FileTarget> {
    try {
      return new FileTarget(file, files, await openFile(file));
    } catch (error) {
      throw fileError('write', file, error);
    }
  }

  async write(parts: readonly Buffer[]): Promise<void> {
    await this.#explain(async () => {
      let { bytesWritten } = await this.#handle.writev(parts);
      for (const part of parts) {
        // A pipe, or a full disk, may take less: what is left is written part by part.
        for (let at = Math.min(bytesWritten, part.length); at < part.length; )
          at += (await this.#handle.write(part, at)).bytesWritten;
        bytesWritten = Math.max(0, bytesWritten - part.length);
      }
    });
  }

  async rotate(): Promise<void> {
    await this.#explain(async () => {
      await this.#handle.close();
      for (let age = this.#files - 1; age > 0; age--)
        await rename(this.#nameOf(age - 1), this.#nameOf(age)).catch(ignoreMissing);
      this.#handle = await openFile(this.#path);
    });
  }

  async close(): Promise<void> {
    await this.#explain(() => this.#handle.close());
  }

  async #explain(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      throw fileError('write', this.#path, error);
    }
  }

  /** The name of an older file: `trace.1.pcapng` is the one before `trace.pcapng`. */
  #nameOf(age: number): string {
    if (age === 0) return this.#path;
    const { dir, name, ext } = path.parse(this.#path);
    return path.join(dir, `${name}.${age}${ext}`);
  }
}

// What TLS has protected is in the file.
function openFile(file: string): Promise<FileHandle> {
  return open(file, 'w', 0o600);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

export class StreamTarget implements CaptureTarget {
  // A stream may keep what was written to it, as a PassThrough does.
  readonly copies = false;
  readonly #stream: Writable;
  #failure: Error | undefined;
  #fail: (error: Error) => void = () => {};
  readonly #onError = (error: Error) => {
    this.#failure ??= error;
    this.#fail(this.#failure);
  };
  readonly #onClose = () => this.#onError(new Error('the stream was closed'));

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', this.#onError).on('close', this.#onClose);
  }

  write(parts: readonly Buffer[]): Promise<void> {
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#fail = reject;
      const last = parts.length - 1;
      stream.cork();
      for (const [index, part] of parts.entries())
        stream.write(part, index === last ? (error) => (error ? this.#onError(error) : resolve()) : undefined);
      stream.uncork();
    });
  }

  async rotate(): Promise<void> {}

  /** The stream stays open: it is the user's. */
  async close(): Promise<void> {
    this.#stream.off('close', this.#onClose);
    // A stream tells the writer of its failure first, and emits 'error' when it has closed its file: nobody may listen then.
    if (!this.#failure) this.#stream.off('error', this.#onError);
  }
}
