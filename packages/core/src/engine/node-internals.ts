// What the engine knows of Node's internals, and the patches that it puts on streams. Each use has a feature check. Where
// a check fails, the function returns `undefined` or `false`, and the caller takes the documented way. Tests switch
// `nodeInternals` off to run both ways. The uses: tapped-reads.ts, shielded-writes.ts, stream-resets.ts, kernel-bytes.ts,
// read-memory.ts.
import type { Duplex } from 'node:stream';

export const nodeInternals = {
  /** Take received bytes from `push`, and confirm an end by a second read. */
  reads: true,
  /** Keep a failed write from destroying the stream, with the bytes that it has received. */
  writes: true,
  /** Read into memory of this library: see read-memory.ts. */
  readMemory: true,
  /** Whether a second read reports an end again. Node does, Deno does not: the first end of the process shows it. */
  repeatsEnds: undefined as boolean | undefined,
  /** Whether a TLS stream that was cut can be told from one that ended: the first TLS stream of the process shows it. */
  showsTlsCuts: undefined as boolean | undefined,
};

export interface Handle {
  readStart(): number;
  readStop?(): number;
  /** Whether Node reads from it. */
  reading?: boolean;
  /** Of a TLS handle: the handle beneath it. */
  _parent?: Handle | null;
}

export interface StreamInternals {
  _handle: Handle | null;
  destroyed: boolean;
  push(chunk: Buffer | null): boolean;
  _read(size: number): void;
  _write(chunk: unknown, encoding: string, callback: Callback): void;
  _writev(chunks: unknown, callback: Callback): void;
  _final(callback: Callback): void;
}
export type Callback = (error?: Error | null) => void;

/**
 * The object that has patched a stream. The stream refers to it by a symbol, so that all streams share the patched
 * methods: functions of their own would cost each connection a few hundred bytes.
 */
export interface Patcher {
  /** Whether the stream is a TLS stream. */
  isSecure: boolean;
  /** Whether the end needs no second read, or is being confirmed by it. */
  isConfirmingEnd: boolean;
  hasSeenEnd: boolean;
  /** Whether it has a block of memory of its own: see read-memory.ts. */
  ownsMemory: boolean;
  /** The methods that write, without the patch. */
  unpatched: Pick<StreamInternals, (typeof WRITE_METHODS)[number]> | undefined;
  /** Whether bytes that arrive now may be lent. Default: no. */
  readonly lends?: boolean;
  /** Returns whether to read on. */
  onChunk(chunk: Buffer): boolean;
  /** As `onChunk`. The bytes are valid during the call only. */
  onLentChunk?(chunk: Buffer): boolean;
  /** @param truncated Whether a TLS stream was cut. */
  onEnd(truncated: boolean): void;
  /** Bytes were handed to the kernel. */
  onWritten?(): void;
  /** A write has failed. The stream writes nothing more. */
  onWriteError(error: Error): void;
}

/** The methods of a stream that write. */
export const WRITE_METHODS = ['_write', '_writev', '_final'] as const;

/** The state of a stream that is about to be patched. */
export const UNPATCHED = {
  isSecure: false,
  isConfirmingEnd: false,
  hasSeenEnd: false,
  ownsMemory: false,
  unpatched: undefined,
} as const;

/** Leads from a patched stream to its patcher. */
export const PATCHER = Symbol('rxsock');

export interface Patched extends StreamInternals {
  [PATCHER]: Patcher;
}

export function setPatcher(stream: Duplex, patcher: Patcher): void {
  (stream as unknown as Patched)[PATCHER] = patcher;
}

export function patcherOf(stream: Duplex): Patcher {
  return (stream as unknown as Patched)[PATCHER];
}

/**
 * Removes what `tapReads` and `shieldWrites` have put on the stream. All else is the stream's own: `new Duplex({ write })`
 * makes a property `_write`.
 */
export function removePatches(stream: Duplex, isTapped: boolean): void {
  const inner = stream as unknown as Patched;
  const unpatched = inner[PATCHER]?.unpatched;
  if (isTapped) Reflect.deleteProperty(stream, 'push');
  if (unpatched) for (const name of WRITE_METHODS) Reflect.deleteProperty(stream, name);
  Reflect.deleteProperty(stream, PATCHER);
  if (unpatched && unpatched !== Object.getPrototypeOf(stream)) Object.assign(inner, unpatched);
}
