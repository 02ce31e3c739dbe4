// capture(): records sockets to a file that Wireshark opens.
import type { Writable } from 'node:stream';
import { isObservable } from 'rxjs';
import { checkInteger, checkOneOf, checkOptions, typeError } from '../base/check.js';
import { handled } from '../base/handled.js';
import { setImmediate } from '../base/real-timers.js';
import type { Registrable } from '../base/registrable.js';
import type { Release } from '../flow/flow.js';
import { liveSockets } from '../observe/live.js';
import { Server } from '../server/server.js';
import { Socket } from '../socket.js';
import { checkPath } from '../transfer/file-error.js';
import { type CaptureTarget, FileTarget, StreamTarget } from './file-target.js';
import { Output } from './output.js';
import { type CaptureSource, Recorders } from './recorders.js';

/** The smallest file: it has room for one of the longest packets. */
const MIN_BYTES = 128 * 1024;

/** Options of {@link capture}. */
export interface CaptureOptions {
  /**
   * The most bytes of a file, from 131,072 on, or Infinity for no limit. A packet that has no room is left out, or it
   * begins the next file: see `rotate`.
   * @defaultValue 1 GiB
   */
  readonly maxBytes?: number | undefined;
  /**
   * How many files there are at most. With more than one, a full file `trace.pcapng` is renamed to `trace.1.pcapng`, the
   * one before it to `trace.2.pcapng`, and so on, and the oldest one is replaced. Each file can be read on its own. Only
   * for a path.
   * @defaultValue 1
   */
  readonly rotate?: number | undefined;
  /**
   * What happens when packets come faster than they can be written. `'drop'`: when 16 MiB wait, packets are left out and
   * counted. The sockets never wait. `'hold'`: while more than 4 MiB wait, the sockets are held, so that their peers
   * wait. What this side writes cannot be held, and is still left out when 16 MiB wait. Nor can datagrams be held.
   * @defaultValue 'drop'
   */
  readonly overflow?: 'drop' | 'hold' | undefined;
}

/** A running capture, made by {@link capture}. Its counters are current at any time. */
export interface Capture extends AsyncDisposable {
  /** How many packets were written to the files. Events and the beginnings and ends of connections are packets too. */
  readonly packets: number;
  /** How many bytes of sockets were written to the files. */
  readonly bytes: number;
  /** How many packets were left out: there was no room in the file, or the disk was too slow or has failed. */
  readonly packetsDropped: number;
  /** How many bytes of sockets were left out. */
  readonly bytesDropped: number;
  /** What writing has failed with. From then on everything is left out. */
  readonly error: Error | undefined;
  /**
   * Detaches from the sockets, and writes what waits. A stream is not ended.
   *
   * @returns Resolves when everything is written.
   * @throws As a rejection: {@link SocketError} with phase `write` and Node's code if a file could not be written; the
   * error of a stream.
   */
  close(): Promise<void>;
}

/** A `DatagramSocket` of `@rxsock/udp`. */
export interface DatagramSource extends Registrable {
  readonly type: 'udp';
}

/**
 * Records sockets as a network would have carried them, in the format pcapng: Wireshark and `tshark` show the
 * connections, follow their streams and decode their protocols. `replay()` of `@rxsock/core/testing` plays one side of a
 * connection again. The capture is made inside this process. It needs no privileges.
 *
 * There is one packet for each chunk, with headers of TCP that are made up. They have the addresses of the connection;
 * UNIX sockets and streams in memory get addresses from 192.0.2.0/24, and their path is in a comment. What TLS protects
 * is recorded as plaintext. So a file is as secret as what was sent: it is created with the mode
 * 0600. Holds, releases, errors and the close report are comments on packets, in the column "Comment" of Wireshark. A
 * file that exists is replaced.
 *
 * If both ends of a TCP connection are captured, there is one connection in the file, with what each end has sent. A datagram inside this
 * process is recorded twice: when it leaves and when it arrives. A dial that fails has no packets.
 *
 * **Half-close**: each FIN is a packet of its own. A reset, an abort or a timeout is an RST.
 *
 * **Backpressure**: by default the sockets never wait for the disk. At most 16 MiB wait to be written; what has no room
 * is left out and counted, and the next packet has a comment that says so. See `overflow`.
 *
 * @param source A socket, also of `@rxsock/udp`; a server: all sockets that it accepts; or `'all'`: all sockets of this
 * process. Those that are open already are recorded from now on.
 * @param target A path, a `file:` URL, or a Writable: a pipe, or a stream that compresses. You end the stream yourself.
 * @returns Resolves when the capture is attached. Close it in the end: `await using` does.
 * @throws At the call: TypeError or RangeError for an argument or an option with an invalid value.
 * @throws As a rejection: {@link SocketError} with phase `write` and Node's code if the file cannot be created.
 * @see https://wiki.wireshark.org/Development/PcapNg
 *
 * @example
 * ```ts
 * import { connect, lines, through } from '@rxsock/core';
 * import { capture } from '@rxsock/core/capture';
 * import { lastValueFrom, of } from 'rxjs';
 *
 * await using trace = await capture('all', 'trace.pcapng', { maxBytes: 10_000_000, rotate: 5 });
 * await lastValueFrom(of('hello\n').pipe(through(connect({ port: 7 })), lines()));
 * console.log(trace.packets, trace.packetsDropped);
 * ```
 */
export function capture(
  source: Socket | Server | DatagramSource | 'all',
  target: string | URL | Writable,
  options: CaptureOptions = {},
): Promise<Capture> {
  const wanted = checkSource(source);
  const place = checkTarget(target);
  checkOptions(options, '{ maxBytes: 10_000_000 }');
  const { maxBytes = 2 ** 30, rotate = 1, overflow = 'drop' } = options;
  const expected = `an integer, ${MIN_BYTES} or more, or Infinity`;
  if (maxBytes !== Number.POSITIVE_INFINITY) checkInteger('maxBytes', maxBytes, MIN_BYTES, undefined, expected);
  checkInteger('rotate', rotate, 1, 1_000, 'an integer from 1 to 1000: the number of files');
  checkOneOf('overflow', overflow, ['drop', 'hold']);
  if (rotate > 1 && typeof place !== 'string') throw new TypeError('rotate needs a path: a stream cannot be rotated');
  if (rotate > 1 && maxBytes === Number.POSITIVE_INFINITY) throw new TypeError('rotate needs a finite maxBytes');
  return begin(wanted, place, { maxBytes, files: rotate, holds: overflow === 'hold' });
}

function checkSource(source: unknown): CaptureSource {
  if (source === 'all') return { has: () => true, sockets: () => liveSockets as Set<Socket> };
  if (source instanceof Server)
    return { has: (socket) => source.sockets.has(socket as Socket), sockets: () => source.sockets };
  if (source instanceof Socket) return { has: (socket) => socket === source, sockets: () => [source] };
  const { type, readyStates } = (source ?? {}) as Partial<Registrable & { readonly type: unknown }>;
  if (type === 'udp' && isObservable(readyStates)) return { has: (socket) => socket === source, sockets: () => [] };
  throw typeError('source', "a socket, a server or 'all'", source);
}

function checkTarget(target: unknown): string | Writable {
  if (typeof target === 'string' || target instanceof URL) return checkPath(target);
  const { write, on, destroyed, writableEnded } = (target ?? {}) as Partial<Writable>;
  if (typeof write !== 'function' || typeof on !== 'function')
    throw typeError('target', 'a path, a file: URL or a Writable', target);
  if (destroyed || writableEnded) throw new TypeError('target must be open: this stream was ended or destroyed');
  return target as Writable;
}

/** The options in the words of the output. */
interface Limits {
  readonly maxBytes: number;
  readonly files: number;
  readonly holds: boolean;
}

async function begin(source: CaptureSource, place: string | Writable, limits: Limits): Promise<Capture> {
  const target = typeof place === 'string' ? await FileTarget.open(place, limits.files) : new StreamTarget(place);
  return new RunningCapture(target, source, limits);
}

class RunningCapture implements Capture {
  readonly #output: Output;
  readonly #recorders: Recorders;
  /** The sockets that wait for the disk. */
  readonly #held = new Map<Socket, Release>();
  #isFull = false;
  #closed: Promise<void> | undefined;

  constructor(target: CaptureTarget, source: CaptureSource, { maxBytes, files, holds }: Limits) {
    const onFull = (isFull: boolean) => {
      this.#isFull = isFull;
      // A socket must not be held in the middle of its own step.
      setImmediate(() => this.#holdOrRelease());
    };
    this.#output = new Output(target, { maxBytes, files, onFull: holds ? onFull : () => {} });
    this.#recorders = new Recorders(this.#output, source);
  }

  get packets(): number {
    return this.#output.written.packets;
  }

  get bytes(): number {
    return this.#output.written.bytes;
  }

  get packetsDropped(): number {
    return this.#output.dropped.packets;
  }

  get bytesDropped(): number {
    return this.#output.dropped.bytes;
  }

  get error(): Error | undefined {
    return this.#output.failure;
  }

  close(): Promise<void> {
    this.#closed ??= handled(this.#finish());
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #finish(): Promise<void> {
    this.#recorders.stop();
    this.#isFull = false;
    this.#holdOrRelease();
    await this.#output.close(this.#recorders.now());
    if (this.#output.failure) throw this.#output.failure;
  }

  #holdOrRelease(): void {
    if (this.#isFull) {
      for (const socket of this.#recorders.sockets)
        if (!this.#held.has(socket)) this.#held.set(socket, socket.hold('capture'));
      return;
    }
    for (const release of this.#held.values()) release();
    this.#held.clear();
  }
}
