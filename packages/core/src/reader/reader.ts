// reader(): bytes and lines by await, for protocols that are easier to write as a story than as a pipeline.

import { Deadline } from '../base/deadline.js';
import { formatEndpoint } from '../base/endpoint.js';
import { SocketTimeoutError, TruncatedFrameError } from '../base/errors.js';
import { checkLimit } from '../engine/limits.js';
import { chunksCodec } from '../framing/chunks.js';
import type { Chunk, Codec } from '../framing/codec.js';
import { fixedLengthCodec } from '../framing/fixed-length.js';
import { bytesOf, checkInteger } from '../framing/options.js';
import { restCodec } from '../framing/rest.js';
import { severalCodec } from '../framing/several.js';
import { connectionOf, type Socket } from '../socket.js';
import { Arrivals } from './arrivals.js';
import { readerDelimited, readerLines } from './codecs.js';
import { type Decodes, Decoding, type ShortCut } from './decoding.js';
import { Unread } from './unread.js';

/** Options of {@link reader}. */
export interface ReaderOptions {
  /** How long one read may take, in milliseconds; 0 = for ever. @defaultValue 0 */
  readonly timeout?: number;
  /**
   * The most bytes a line may have, and what `readUntil` and `readAll` take before their end comes. What is longer is a
   * {@link FrameTooLongError}, and is still there for the next read: for `read(length)`, which takes it in pieces, or for
   * `readFrame` with a codec of lines that leaves the long ones out, `linesCodec({ maxLength, oversize: 'discard' })`.
   * @defaultValue 16,777,216
   */
  readonly maxLength?: number;
}

/**
 * Reads a socket by `await`; the peer waits between two reads. Made by {@link reader}.
 *
 * Half-close: at the peer's FIN `readLine` and `readFrame` give `undefined`, `readLines` and `readAll` what is left, and
 * `read` and `readUntil` reject with {@link TruncatedFrameError}. Backpressure: the socket is held unless a read waits. A read that
 * fails or times out loses nothing: the bytes are there for the next one.
 */
export class Reader implements Disposable {
  readonly #socket: Socket;
  readonly #options: Required<ReaderOptions>;
  readonly #lines: Codec<string>;
  readonly #unread = new Unread();
  readonly #decoding = new Decoding(this.#unread);
  readonly #arrivals: Arrivals;
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(socket: Socket, options: ReaderOptions) {
    // Throws here for what is none.
    connectionOf(socket);
    this.#socket = socket;
    this.#options = { timeout: options.timeout ?? 0, maxLength: options.maxLength ?? 16_777_216 };
    checkLimit('timeout', this.#options.timeout);
    this.#lines = readerLines(this.#options.maxLength);
    this.#arrivals = new Arrivals(socket, (chunk) => this.#unread.push(chunk));
  }

  /** What it reads. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Exactly `length` bytes. */
  read(length: number, options?: Pick<ReaderOptions, 'timeout'>): Promise<Buffer> {
    if (length === 0) return Promise.resolve(Buffer.alloc(0));
    // What an async function does by itself, at twice the cost of a short read.
    try {
      return this.#read(fixedLengthCodec(length), options, truncated, (unread) => unread.take(length));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The bytes up to a delimiter, which is taken too and not returned. */
  readUntil(delimiter: Chunk, options?: Pick<ReaderOptions, 'timeout'>): Promise<Buffer> {
    const { maxLength } = this.#options;
    const codec = readerDelimited(delimiter, maxLength);
    const bytes = Buffer.from(bytesOf(delimiter, 'The delimiter'));
    return this.#read(codec, options, truncated, (unread) => unread.takeUntil(bytes, maxLength));
  }

  /** The next line, without its LF or CRLF; the last one need not be terminated. `undefined` at the end. */
  readLine(options?: Pick<ReaderOptions, 'timeout'>): Promise<string | undefined> {
    return this.#read(this.#lines, options, nothing, (unread) => unread.takeLine(this.#options.maxLength));
  }

  /**
   * The next `count` lines, or as many as there are before the end: none of them at the end. The time is for all of them;
   * when it is over, or one is too long, none is taken.
   */
  async readLines(count: number, options?: Pick<ReaderOptions, 'timeout'>): Promise<string[]> {
    if (checkInteger('count', count, 0) === 0) return [];
    return await this.#read(severalCodec(this.#lines, count), options, () => []);
  }

  /** The next frame of any codec; `undefined` at the end. */
  readFrame<T>(codec: Pick<Codec<T>, 'decoder'>, options?: Pick<ReaderOptions, 'timeout'>): Promise<T | undefined> {
    return this.#read(codec, options, nothing);
  }

  /** Everything up to the peer's FIN. */
  async readAll(options?: Pick<ReaderOptions, 'timeout'>): Promise<Buffer> {
    return await this.#read(restCodec(this.#options.maxLength), options, () => Buffer.alloc(0));
  }

  /** What comes from here on, in chunks as they come, up to the peer's FIN. Leaving the loop leaves the reader usable. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    for (;;) {
      const chunk = await this.#read(chunksCodec, {}, nothing, (unread) => unread.takeChunk());
      if (!chunk) return;
      yield chunk;
    }
  }

  /** Stops reading and gives unused bytes back: the next reader of the socket starts there. */
  release(): void {
    this.#decoding.settle();
    this.#arrivals.release(this.#unread.drain());
  }

  /** Releases at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }

  // One after the other, in the order of the calls.
  #read<T, E>(
    codec: Decodes<T>,
    options: Pick<ReaderOptions, 'timeout'> = {},
    atEnd: () => E,
    shortCut?: ShortCut<T>,
  ): Promise<T | E> {
    const { timeout = this.#options.timeout } = options;
    checkLimit('timeout', timeout);
    const next = () => this.#decoding.next(codec, shortCut);
    // A frame may be null.
    const last = () => {
      const frame = this.#decoding.end(codec);
      return frame === undefined ? atEnd() : frame;
    };
    const frame = this.#last.then(() => {
      const first = next();
      return first === undefined ? this.#wait(next, timeout, last) : first;
    });
    this.#last = frame.then(nothing, nothing);
    return frame;
  }

  // Tries again whenever something has come. When it fails, its decoder keeps what there is of the frame: the same codec
  // goes on with it, another one and release() have it given back.
  async #wait<T, E>(next: () => T | undefined, timeout: number, atEnd: () => E): Promise<T | E> {
    let late = false;
    const deadline = new Deadline(connectionOf(this.#socket).limits.scheduler, timeout, () => {
      late = true;
      this.#arrivals.wake();
    });
    deadline.start();
    try {
      for (;;) {
        const { end } = this.#arrivals;
        if (end && 'error' in end) throw end.error;
        if (end) return atEnd();
        if (late) throw timedOut(timeout, this.#socket);
        await this.#arrivals.more();
        const frame = next();
        if (frame !== undefined) return frame;
      }
    } finally {
      deadline.stop();
    }
  }
}

/**
 * Reads a socket by `await`. Makes the socket read, one chunk at a time, while a read waits; between two reads it is held,
 * for all who read it. `release()` the reader, or let `using` do it, before another one takes over.
 *
 * @throws SocketError `ERR_READER_EXISTS` at the call, while another reader of the socket is not released.
 *
 * @example
 * ```ts
 * import { connect, reader } from '@rxsock/core';
 *
 * const socket = connect({ port: 25 });
 * using smtp = reader(socket, { timeout: 10_000 });
 * console.log(await smtp.readLine());
 * socket.next('QUIT\r\n');
 * console.log(await smtp.readLine());
 * ```
 */
export function reader(socket: Socket, options: ReaderOptions = {}): Reader {
  return new Reader(socket, options);
}

function nothing(): undefined {}

function truncated(): never {
  throw new TruncatedFrameError('The input ended where more bytes were to be read', { buffered: 0 });
}

function timedOut(milliseconds: number, { local, remote }: Socket): SocketTimeoutError {
  const from = remote ? ` from ${formatEndpoint(remote)}` : '';
  const message = `Nothing complete came${from} for ${milliseconds} ms, the timeout of the read`;
  return new SocketTimeoutError(message, { phase: 'read', timeout: 'timeout', milliseconds, local, remote });
}
