// reader(): reads bytes, lines and frames with await, where a sequence of steps is clearer than a pipeline.

import { type Chunk, toBytes } from '../base/bytes.js';
import { checkInteger, checkOptions, checkSize, checkTimeout, type WithDefaults } from '../base/check.js';
import { markCopy } from '../base/copy.js';
import { Deadline } from '../base/deadline.js';
import { formatEndpoint } from '../base/endpoint.js';
import { SocketTimeoutError, TruncatedFrameError } from '../base/errors.js';
import { isLocalDecision } from '../base/local-decision.js';
import { nextTurn, spendTime } from '../base/turn-budget.js';
import type { SocketControl } from '../engine/control.js';
import { withEndpoints } from '../flow/byte-source.js';
import { batchCodec } from '../framing/batch.js';
import { chunksCodec } from '../framing/chunks.js';
import type { Codec } from '../framing/codec.js';
import { fixedLengthCodec } from '../framing/fixed-length.js';
import { wholeInputCodec } from '../framing/whole-input.js';
import { controlOf, type Socket } from '../socket.js';
import { Arrivals } from './arrivals.js';
import { readerDelimited, readerLines } from './codecs.js';
import { type Decodes, Decoding, type FastPath } from './decoding.js';
import { ReadBuffer } from './read-buffer.js';

/** Options of {@link reader}. */
export interface ReaderOptions {
  /** How long one read may take, in milliseconds. 0 and Infinity mean no limit. @defaultValue 0 */
  readonly timeout?: number | undefined;
  /**
   * The longest line, the longest block before the delimiter of `readUntil`, and the longest input of `readAll`, in
   * bytes. Infinity means no limit.
   *
   * A read of more bytes rejects with a {@link FrameTooLongError}. The bytes are still there for the next read: for
   * `read(length)`, which takes them in pieces, or for `readFrame(linesCodec({ maxLength, oversize: 'discard' }))`,
   * which skips long lines.
   * @defaultValue 16,777,216
   */
  readonly maxLength?: number | undefined;
}

/** Options of one read. */
type ReadOptions = Pick<ReaderOptions, 'timeout'>;

/**
 * Reads a socket with `await`. Created by {@link reader}. Reads are served in the order of the calls. A read that fails
 * or times out loses nothing: the bytes are there for the next read.
 *
 * Each read throws TypeError or RangeError at the call for an invalid `timeout`. It may reject with: {@link
 * SocketTimeoutError} (`ETIMEDOUT`) after `timeout`, {@link SocketError} `ERR_READER_RELEASED` after `release()`, and
 * what the socket fails with.
 *
 * **Half-close**: at the peer's FIN `readLine` and `readFrame` resolve to `undefined`, `readLines` and `readAll` to
 * what is left; `read` and `readUntil` reject with {@link TruncatedFrameError} (`ERR_FRAME_TRUNCATED`).
 *
 * **Backpressure**: the socket is held unless a read waits.
 */
export class Reader implements Disposable {
  static {
    markCopy(Reader.prototype);
  }

  readonly #socket: Socket;
  readonly #control: SocketControl;
  readonly #options: WithDefaults<ReaderOptions>;
  readonly #lines: Codec<string>;
  readonly #buffer = new ReadBuffer();
  readonly #decoding = new Decoding(this.#buffer);
  readonly #arrivals: Arrivals;
  // The codecs of the last reads. A read that is tried again with the same codec goes on where the last one stopped.
  #delimited: { readonly delimiter: Buffer; readonly codec: Decodes<Buffer> } | undefined;
  #batch: { readonly count: number; readonly codec: Decodes<string[]> } | undefined;
  readonly #all: Decodes<Buffer>;
  #last: Promise<unknown> = Promise.resolve();
  /** How many reads are not served yet. */
  #waiting = 0;

  /** @internal */
  constructor(socket: Socket, options: ReaderOptions) {
    // Throws for something that is not a socket.
    this.#control = controlOf(socket);
    this.#socket = socket;
    checkOptions(options, '{ timeout: 5000 }');
    const { timeout = 0, maxLength = 16_777_216 } = options;
    checkTimeout('timeout', timeout);
    checkSize('maxLength', maxLength);
    this.#options = { timeout, maxLength };
    this.#lines = readerLines(maxLength);
    this.#all = wholeInputCodec(maxLength);
    this.#arrivals = new Arrivals(socket, (chunk) => this.#buffer.push(chunk));
  }

  /** The socket that the reader reads. */
  get socket(): Socket {
    return this.#socket;
  }

  /**
   * Reads exactly `length` bytes.
   * @throws At the call: RangeError for an invalid length.
   */
  read(length: number, options?: ReadOptions): Promise<Buffer> {
    checkInteger('length', length, 0);
    this.#timeoutOf(options);
    if (length === 0) return Promise.resolve(Buffer.alloc(0));
    const take = (buffer: ReadBuffer) => buffer.take(length);
    return this.#takeNow(take) ?? this.#read(fixedLengthCodec(length), options, throwTruncated, take);
  }

  /**
   * Reads the bytes before a delimiter. The delimiter is read too, and is not part of the result.
   * @throws At the call: TypeError if the delimiter is empty, or neither a string nor a `Uint8Array`.
   */
  readUntil(delimiter: Chunk, options?: ReadOptions): Promise<Buffer> {
    const { maxLength } = this.#options;
    const bytes = toBytes(delimiter, 'The delimiter');
    if (!this.#delimited?.delimiter.equals(bytes)) {
      // A copy, because the caller may change its bytes.
      this.#delimited = { delimiter: Buffer.from(bytes), codec: readerDelimited(bytes, maxLength) };
    }
    const { delimiter: own, codec } = this.#delimited;
    this.#timeoutOf(options);
    const take = (buffer: ReadBuffer) => buffer.takeUntil(own, maxLength);
    return this.#takeNow(take) ?? this.#read(codec, options, throwTruncated, take);
  }

  /**
   * Reads the next line, without its LF or CRLF. The last line may be unterminated.
   * @returns Resolves to `undefined` at the end.
   */
  readLine(options?: ReadOptions): Promise<string | undefined> {
    this.#timeoutOf(options);
    const take = (buffer: ReadBuffer) => buffer.takeLine(this.#options.maxLength);
    return this.#takeNow(take) ?? this.#read(this.#lines, options, returnUndefined, take);
  }

  /**
   * Reads the next `count` lines, or as many as there are before the end. The timeout applies to all of them together.
   * If it passes, or if a line is too long, no line is taken.
   * @returns Resolves to an empty array at the end.
   * @throws At the call: RangeError for an invalid count.
   */
  readLines(count: number, options?: ReadOptions): Promise<string[]> {
    checkInteger('count', count, 0);
    this.#timeoutOf(options);
    if (count === 0) return Promise.resolve([]);
    if (this.#batch?.count !== count) {
      this.#batch = { count, codec: { ...batchCodec(this.#lines, count), isSingle: true } };
    }
    return this.#read(this.#batch.codec, options, () => []);
  }

  /**
   * Reads the next frame of any codec.
   * @returns Resolves to `undefined` at the end.
   * @throws As a rejection: what the codec throws for a bad frame. Its bytes are still there for the next read.
   */
  readFrame<T>(codec: Pick<Codec<T>, 'decoder'>, options?: ReadOptions): Promise<T | undefined> {
    return this.#read(codec, options, returnUndefined);
  }

  /** Reads everything up to the peer's FIN. */
  readAll(options?: ReadOptions): Promise<Buffer> {
    return this.#read(this.#all, options, () => Buffer.alloc(0));
  }

  /** Reads the rest, in chunks as they arrive, up to the peer's FIN. You may leave the loop and go on reading. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    for (;;) {
      const chunk = await this.#read(chunksCodec, {}, returnUndefined, (buffer) => buffer.takeChunk());
      if (!chunk) return;
      yield chunk;
    }
  }

  /** Stops reading and gives unused bytes back: the next reader of the socket starts with them. */
  release(): void {
    this.#decoding.unreadRest();
    this.#arrivals.release(this.#buffer.drain());
  }

  /** Releases at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }

  #timeoutOf(options: ReadOptions | undefined): number {
    if (options === undefined) return this.#options.timeout;
    checkOptions(options, '{ timeout: 5000 }');
    const { timeout = this.#options.timeout } = options;
    checkTimeout('timeout', timeout);
    return timeout;
  }

  /** Takes bytes that are there, unless another read comes first or this turn of the event loop is used up. */
  #takeNow<T>(take: FastPath<T>): Promise<T> | undefined {
    if (this.#waiting > 0 || this.#decoding.isUnderWay || this.#decision || !this.#hasTime) return undefined;
    const frame = take(this.#buffer);
    return frame === undefined ? undefined : Promise.resolve(frame);
  }

  /**
   * The error by which this side has ended the connection: it overtakes the bytes that wait. An abort is known before
   * it arrives.
   */
  get #decision(): unknown {
    const error = this.#control.failure ?? this.#arrivals.end?.error;
    return isLocalDecision(error) ? error : undefined;
  }

  // Promises are settled within a turn, so many reads of bytes that wait would keep the event loop.
  get #hasTime(): boolean {
    return !this.#arrivals.isRealTime || spendTime();
  }

  /** Queues a read behind the reads before it. @param atEnd Called at the peer's FIN if there is no last frame. */
  #read<T, E>(
    codec: Decodes<T>,
    options: ReadOptions | undefined,
    atEnd: () => E,
    fastPath?: FastPath<T>,
  ): Promise<T | E> {
    const timeout = this.#timeoutOf(options);
    const next = () => {
      if (this.#decision) throw this.#decision;
      return this.#attempt(() => this.#decoding.next(codec, fastPath));
    };
    const last = () => {
      const frame = this.#attempt(() => this.#decoding.end(codec));
      // Not `??`: a frame may be null.
      return frame === undefined ? atEnd() : frame;
    };
    const read = () => {
      const first = next();
      return first === undefined ? this.#wait(next, timeout, last) : first;
    };
    const frame = this.#last.then(() => (this.#hasTime ? read() : nextTurn().then(read)));
    const served = () => {
      this.#waiting--;
    };
    this.#waiting++;
    this.#last = frame.then(served, served);
    return frame;
  }

  #attempt<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw withEndpoints(error, this.#control.bytes);
    }
  }

  // Tries again after every chunk. If it fails, the decoder keeps the part of the frame that has arrived. A read with
  // the same codec continues with that part. A read with another codec, and release(), give it back first.
  async #wait<T, E>(next: () => T | undefined, timeout: number, atEnd: () => E): Promise<T | E> {
    let expired = false;
    const deadline = new Deadline(this.#control.limits.scheduler, timeout, () => {
      expired = true;
      this.#arrivals.wake();
    });
    deadline.start();
    try {
      for (;;) {
        const { end } = this.#arrivals;
        if (end && 'error' in end) throw end.error;
        if (end) return atEnd();
        if (expired) throw readTimeoutError(timeout, this.#socket);
        await this.#arrivals.waitForMore();
        const frame = next();
        if (frame !== undefined) return frame;
      }
    } finally {
      deadline.stop();
    }
  }
}

/**
 * Reads a socket with `await`. Makes the socket read, one chunk at a time, while a read waits. Between two reads the
 * socket is held, for all its readers. Call `release()`, or use `using`, before something else reads the socket.
 *
 * **Half-close** and **Backpressure**: see {@link Reader}.
 *
 * @throws At the call: {@link SocketError} `ERR_READER_EXISTS` while another reader of the socket is not released;
 * TypeError or RangeError for an invalid argument or option.
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

function returnUndefined(): undefined {}

function throwTruncated(): never {
  throw new TruncatedFrameError('The input ended before the bytes that were asked for', { buffered: 0 });
}

function readTimeoutError(milliseconds: number, { local, remote }: Socket): SocketTimeoutError {
  const from = remote ? ` from ${formatEndpoint(remote)}` : '';
  const message = `The read${from} was not complete within timeout (${milliseconds} ms)`;
  return new SocketTimeoutError(message, { phase: 'read', timeout: 'timeout', milliseconds, local, remote });
}
