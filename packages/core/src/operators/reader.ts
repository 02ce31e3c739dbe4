// reader(): bytes and lines by await, for protocols that are easier to write as a story than as a pipeline.
import { formatEndpoint } from '../endpoint.js';
import { Deadline } from '../engine/deadline.js';
import { checkLimit } from '../engine/options.js';
import { SocketError, TimeoutError, TruncatedFrameError } from '../errors.js';
import { Brake, FlowSet } from '../flow.js';
import { FlowSubscriber } from '../flowable.js';
import { chunksCodec } from '../framing/chunks.js';
import type { Chunk, Codec, Decoder } from '../framing/codec.js';
import { delimitedCodec } from '../framing/delimited.js';
import { fixedLengthCodec } from '../framing/fixed-length.js';
import { linesCodec } from '../framing/lines.js';
import { checkInteger } from '../framing/options.js';
import { restCodec } from '../framing/rest.js';
import { severalCodec } from '../framing/several.js';
import { connectionOf, type Socket } from '../socket.js';
import { data } from './data.js';

/** Options of {@link reader}. */
export interface ReaderOptions {
  /** How long one read may take, in milliseconds; 0 = for ever. @defaultValue 0 */
  readonly timeout?: number;
  /**
   * The most bytes a line may have, and what `readUntil` and `readAll` take before their end comes.
   * @defaultValue 16,777,216
   */
  readonly maxLength?: number;
}

/** Sockets that have a reader: a second one would wait for ever for what the first one holds. */
const taken = new WeakSet<Socket>();

type Decoding = { readonly codec: Pick<Codec<unknown>, 'decoder'>; readonly decoder: Decoder<unknown> };

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
  readonly #flows = new FlowSet();
  readonly #subscriber: FlowSubscriber<Buffer>;
  readonly #lines: Codec<string>;
  #chunks: Uint8Array[] = [];
  #decoding: Decoding | undefined;
  readonly #brake = new Brake(this.#flows, 'reader');
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(socket: Socket, options: ReaderOptions) {
    // Throws here for what is none.
    connectionOf(socket);
    if (taken.has(socket)) {
      const message = 'The socket has a reader already: go on with that one, or release() it first';
      throw new SocketError(message, {
        code: 'ERR_READER_EXISTS',
        phase: 'read',
        local: socket.local,
        remote: socket.remote,
      });
    }
    this.#socket = socket;
    this.#options = { timeout: options.timeout ?? 0, maxLength: options.maxLength ?? 16_777_216 };
    checkLimit('timeout', this.#options.timeout);
    this.#lines = linesCodec({ maxLength: this.#options.maxLength });
    const ended = (end: { readonly error?: unknown }) => {
      this.#end = end;
      this.#wake?.();
    };
    this.#subscriber = new FlowSubscriber<Buffer>(
      undefined,
      {
        next: (chunk) => {
          this.#chunks.push(chunk);
          this.#brake.on();
          this.#wake?.();
        },
        error: (error) => ended({ error }),
        complete: () => ended({}),
      },
      this.#flows,
    );
    taken.add(socket);
    this.#brake.on();
    socket.pipe(data()).subscribe(this.#subscriber);
  }

  /** What it reads. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Exactly `length` bytes. */
  async read(length: number, options?: Pick<ReaderOptions, 'timeout'>): Promise<Buffer> {
    if (length === 0) return Buffer.alloc(0);
    return this.#whole(fixedLengthCodec(length), options);
  }

  /** The bytes up to a delimiter, which is taken too and not returned. */
  readUntil(delimiter: Chunk, options?: Pick<ReaderOptions, 'timeout'>): Promise<Buffer> {
    return this.#whole(delimitedCodec(delimiter, { maxLength: this.#options.maxLength, trailing: 'error' }), options);
  }

  /** The next line, without its LF or CRLF; the last one need not be terminated. `undefined` at the end. */
  readLine(options?: Pick<ReaderOptions, 'timeout'>): Promise<string | undefined> {
    return this.readFrame(this.#lines, options);
  }

  /**
   * The next `count` lines, or as many as there are before the end: none of them at the end. The time is for all of them;
   * when it is over, or one is too long, none is taken.
   */
  async readLines(count: number, options?: Pick<ReaderOptions, 'timeout'>): Promise<string[]> {
    if (checkInteger('count', count, 0) === 0) return [];
    return (await this.readFrame(severalCodec(this.#lines, count), options)) ?? [];
  }

  /** The next frame of any codec; `undefined` at the end. */
  readFrame<T>(codec: Pick<Codec<T>, 'decoder'>, options?: Pick<ReaderOptions, 'timeout'>): Promise<T | undefined> {
    const { timeout = this.#options.timeout } = options ?? {};
    checkLimit('timeout', timeout);
    const frame = this.#last.then(() => this.#frame(codec, timeout));
    this.#last = frame.catch(() => {});
    return frame;
  }

  /** Everything up to the peer's FIN. */
  async readAll(options?: Pick<ReaderOptions, 'timeout'>): Promise<Buffer> {
    const { maxLength } = this.#options;
    return (await this.readFrame(restCodec(maxLength), options)) ?? Buffer.alloc(0);
  }

  /** What comes from here on, in chunks as they come, up to the peer's FIN. Leaving the loop leaves the reader usable. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    for (let chunk = await this.readFrame(chunksCodec); chunk; chunk = await this.readFrame(chunksCodec)) yield chunk;
  }

  /** Stops reading and gives unused bytes back: the next reader of the socket starts there. */
  release(): void {
    taken.delete(this.#socket);
    this.#undecode();
    for (const chunk of this.#chunks.reverse()) this.#socket.unshift(chunk);
    this.#chunks = [];
    this.#end ??= { error: released() };
    this.#subscriber.unsubscribe();
    this.#wake?.();
  }

  /** Releases at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }

  async #whole(codec: Pick<Codec<Buffer>, 'decoder'>, options?: Pick<ReaderOptions, 'timeout'>): Promise<Buffer> {
    const frame = await this.readFrame(codec, options);
    if (frame) return frame;
    throw new TruncatedFrameError('The input ended where more bytes were to be read', { buffered: 0 });
  }

  async #frame<T>(codec: Pick<Codec<T>, 'decoder'>, timeout: number): Promise<T | undefined> {
    const { scheduler } = connectionOf(this.#socket).limits;
    let late = false;
    const deadline = new Deadline(scheduler, timeout, () => {
      late = true;
      this.#wake?.();
    });
    deadline.start();
    try {
      const decoder = this.#decode(codec);
      for (;;) {
        const frame = decoder.next() as T | undefined;
        if (frame !== undefined) return frame;
        const chunk = this.#chunks.shift();
        if (chunk) decoder.push(chunk);
        else if (this.#end) return this.#atEnd(decoder) as T | undefined;
        else if (late) throw timedOut(timeout, this.#socket);
        else await this.#more();
      }
    } catch (error) {
      this.#undecode();
      throw error;
    } finally {
      deadline.stop();
    }
  }

  #atEnd(decoder: Decoder<unknown>): unknown {
    if (this.#end && 'error' in this.#end) throw this.#end.error;
    decoder.end();
    try {
      return decoder.next();
    } finally {
      this.#undecode();
    }
  }

  // Lets the socket deliver until something comes, or the time is up.
  async #more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#brake.off();
    });
    this.#wake = undefined;
    this.#brake.on();
  }

  // The same codec goes on with its decoder; another one starts with the bytes that this has not used.
  #decode(codec: Pick<Codec<unknown>, 'decoder'>): Decoder<unknown> {
    if (this.#decoding?.codec !== codec) {
      this.#undecode();
      this.#decoding = { codec, decoder: codec.decoder() };
    }
    return this.#decoding.decoder;
  }

  #undecode(): void {
    const rest = this.#decoding?.decoder.rest();
    this.#decoding = undefined;
    if (rest && rest.length > 0) this.#chunks.unshift(rest);
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

function released(): SocketError {
  const message = 'The reader was released: make another one to go on';
  return new SocketError(message, { code: 'ERR_READER_RELEASED', phase: 'read' });
}

function timedOut(milliseconds: number, { local, remote }: Socket): TimeoutError {
  const from = remote ? ` from ${formatEndpoint(remote)}` : '';
  const message = `Nothing complete came${from} for ${milliseconds} ms, the timeout of the read`;
  return new TimeoutError(message, { phase: 'read', timeout: 'timeout', milliseconds, local, remote });
}
