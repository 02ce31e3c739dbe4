// All uses of Node internals in the engine. Each has a feature check. Where a check fails, the function returns
// `undefined` or `false`, and the caller takes the documented way. Tests switch `nodeInternals` off to run both ways.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate } from '../base/real-timers.js';

export const nodeInternals = {
  /** Take received bytes from `push`, and confirm an end by a second read. */
  reads: true,
  /** Keep a failed write from destroying the stream, with the bytes that it has received. */
  writes: true,
  /** Lend received bytes to consumers that use them up at once: see lent-reads.ts. */
  lending: true,
  /** Whether a second read reports an end again. Node does, Deno does not: the first end of the process shows it. */
  repeatsEnds: undefined as boolean | undefined,
  /** Whether a TLS stream that was cut can be told from one that ended: the first TLS stream of the process shows it. */
  showsTlsCuts: undefined as boolean | undefined,
};

/** Node needs one. */
const TURNS_TO_SECOND_END = 8;

interface Handle {
  readStart(): number;
  readStop?(): number;
  /** Whether Node reads from it. */
  reading?: boolean;
  /** Of a TLS handle: the handle beneath it. */
  _parent?: Handle | null;
}
interface StreamInternals {
  _handle: Handle | null;
  destroyed: boolean;
  push(chunk: Buffer | null): boolean;
  _read(size: number): void;
  _write(chunk: unknown, encoding: string, callback: Callback): void;
  _writev(chunks: unknown, callback: Callback): void;
  _final(callback: Callback): void;
}
interface ClosableHandle {
  close(callback?: () => void): void;
  /** Returns 0 on success. */
  reset(callback?: () => void): number;
}
interface WritingHandle {
  /** With the bytes that wait in libuv. */
  readonly bytesWritten?: number;
  /** How many bytes wait in libuv. */
  readonly writeQueueSize?: number;
  /** Of a TLS handle: the handle beneath it. */
  readonly _parent?: WritingHandle | null;
}
type Callback = (error?: Error | null) => void;

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
  hasSeenWriteError: boolean;
  /** The methods that write, without the patch. */
  unpatched: Pick<StreamInternals, '_write' | '_writev' | '_final'> | undefined;
  /** Whether bytes that arrive now may be lent. Default: no. */
  readonly lends?: boolean;
  /** Returns whether to read on. */
  onChunk(chunk: Buffer): boolean;
  /** As `onChunk`. The bytes are valid during the call only. */
  onLentChunk?(chunk: Buffer): boolean;
  /** @param truncated Whether a TLS stream was cut. */
  onEnd(truncated: boolean): void;
  /** The first write has failed. */
  onWriteError(error: Error): void;
}

/** The state of a stream that is about to be patched. */
export const UNPATCHED = {
  isSecure: false,
  isConfirmingEnd: false,
  hasSeenEnd: false,
  hasSeenWriteError: false,
  unpatched: undefined,
} as const;

const PATCHER = Symbol('rxsock');

interface Patched extends StreamInternals {
  [PATCHER]: Patcher;
}

export function setPatcher(stream: Duplex, patcher: Patcher): void {
  (stream as unknown as Patched)[PATCHER] = patcher;
}

export function patcherOf(stream: Duplex): Patcher {
  return (stream as unknown as Patched)[PATCHER];
}

/**
 * Reads from the handle, past Node's own buffer, so that bytes received before an error are not lost with the buffer.
 *
 * An end is confirmed by a second read: Node 20 and 22 report data followed by a reset as a clean end, and the second
 * read then reports the reset.
 *
 * TLS reports its end only once, so the handle beneath shows what the end means. If that handle starts to read again
 * although TLS was reading, it has met the end of TCP: the stream was cut without a close_notify, which Node reports
 * like a clean end. After a close_notify the handle beneath is still reading, or TLS is not.
 *
 * @returns `false` if the patch could not be applied.
 */
export function tapReads(stream: Duplex, patcher: Patcher): boolean {
  const inner = stream as unknown as Patched;
  if (!nodeInternals.reads || !(stream instanceof net.Socket)) return false;
  if (typeof inner._read !== 'function' || typeof inner.push !== 'function') return false;
  // Other code has read from the stream: its unread bytes are in Node's buffer.
  if (stream.readableLength > 0 || stream.readableEnded) return false;
  patcher.isSecure = 'encrypted' in stream;
  patcher.isConfirmingEnd = patcher.isSecure;
  inner[PATCHER] = patcher;
  inner.push = tappedPush;
  return true;
}

function tappedPush(this: Patched, chunk: Buffer | null): boolean {
  const patcher = this[PATCHER];
  if (chunk !== null) {
    const readsOn = patcher.onChunk(chunk);
    if (!readsOn && patcher.isSecure) stopBeneath(this);
    return readsOn;
  }
  if (!patcher.isConfirmingEnd && nodeInternals.repeatsEnds !== false && this._handle?.readStart && !this.destroyed) {
    patcher.isConfirmingEnd = true;
    if (this._handle.readStart() === 0) {
      if (nodeInternals.repeatsEnds === undefined) probeSecondEnd(this, TURNS_TO_SECOND_END);
      return false;
    }
  } else if (!patcher.isSecure && patcher.isConfirmingEnd) nodeInternals.repeatsEnds = true;
  emitEnd(this, patcher);
  return false;
}

function emitEnd(stream: Patched, patcher: Patcher): void {
  if (patcher.hasSeenEnd) return;
  patcher.hasSeenEnd = true;
  patcher.onEnd(patcher.isSecure && !stream.destroyed && handleBeneath(stream)?.readStart() === 0);
}

/**
 * Waits for the second end, a few turns of the event loop: it comes with the next look for received bytes, or never. If
 * it never comes, the first one is believed, here and from now on. Such a runtime reports a reset in the first place.
 */
function probeSecondEnd(stream: Patched, turns: number): void {
  setImmediate(() => {
    const patcher: Patcher | undefined = stream[PATCHER];
    if (!patcher || patcher.hasSeenEnd || stream.destroyed || nodeInternals.repeatsEnds) return;
    if (turns > 1) return probeSecondEnd(stream, turns - 1);
    nodeInternals.repeatsEnds = false;
    emitEnd(stream, patcher);
  });
}

/** Reads on, after `onChunk` has returned `false`, from a stream whose reads are tapped. */
export function resumeTappedReads(stream: Duplex): void {
  const inner = stream as unknown as Patched;
  inner._read(0);
  if (!inner[PATCHER]?.isSecure) return;
  if (nodeInternals.showsTlsCuts === undefined) probeTlsCuts(inner);
  if (nodeInternals.showsTlsCuts === false && inner._handle?.reading) inner._handle._parent?.readStart();
}

// Where the handle beneath does not tell whether it reads, it does not follow the TLS handle when that stops.
function stopBeneath({ _handle: handle }: StreamInternals): void {
  if (nodeInternals.showsTlsCuts === false) handle?._parent?.readStop?.();
}

// Node refuses to read from a handle that is being read from. Deno does not, and Bun has no handle to ask. What carries
// TLS in JavaScript says nothing about the runtime.
function probeTlsCuts({ _handle: handle }: StreamInternals): void {
  const beneath = handle?._parent;
  if (!handle?.reading && beneath) return;
  if (beneath && !/^(TCP|Pipe)/.test(beneath.constructor.name)) return;
  nodeInternals.showsTlsCuts = beneath !== undefined && beneath !== null && refusesToReadTwice(beneath);
  if (nodeInternals.showsTlsCuts) return;
  process.emitWarning(
    'This runtime does not show whether a TLS stream ended or was cut on its way. ' +
      'Let your messages say how long they are, or how many there are',
    { code: 'ERR_TLS_CUTS_NOT_SHOWN' },
  );
}

function refusesToReadTwice(handle: Handle): boolean {
  if (handle.readStart() !== 0) return true;
  if (handle.readStart() === 0) return false;
  // It had ended, and `tappedPush` will ask it again.
  handle.readStop?.();
  return true;
}

/** Stops reading in the middle of a read, of a stream whose reads are tapped. */
export function stopTappedReads(stream: Duplex): void {
  const { _handle: handle, [PATCHER]: patcher } = stream as unknown as Patched;
  if (!handle?.reading) return;
  // Nothing but the second end can come.
  if (patcher.isConfirmingEnd && !patcher.isSecure) return;
  handle.reading = false;
  handle.readStop?.();
  stopBeneath(stream as unknown as Patched);
}

// This holds only for a kernel handle: not for one in JavaScript, and not for TLS in TLS.
function handleBeneath({ _handle: handle }: StreamInternals): Handle | undefined {
  const beneath = handle?.reading ? handle._parent : undefined;
  return beneath && ['TCP', 'Pipe'].includes(beneath.constructor.name) ? beneath : undefined;
}

/** Removes what `tapReads` and `shieldWrites` have put on the stream. */
export function removePatches(stream: Duplex): void {
  const inner = stream as unknown as Patched;
  const unpatched = inner[PATCHER]?.unpatched;
  for (const name of ['push', '_write', '_writev', '_final', PATCHER]) Reflect.deleteProperty(stream, name);
  if (unpatched && unpatched !== Object.getPrototypeOf(stream)) Object.assign(inner, unpatched);
}

/**
 * Returns how many bytes of a stream the kernel has taken, with those that TLS adds. The number grows in the middle of
 * a write. It is 0 where Node does not show it.
 */
export function bytesInKernel(stream: Duplex): number {
  return (kernelHandle(stream)?.bytesWritten ?? 0) - queuedBytes(stream);
}

/** Returns how many bytes libuv has not handed to the kernel yet; 0 where Node does not show it. */
export function queuedBytes(stream: Duplex): number {
  return kernelHandle(stream)?.writeQueueSize ?? 0;
}

// The numbers of a TLS handle stand still until the whole write has left.
function kernelHandle(stream: Duplex): WritingHandle | null | undefined {
  let { _handle: handle } = stream as unknown as { _handle?: WritingHandle | null };
  while (handle?._parent) handle = handle._parent;
  return handle;
}

/**
 * Destroys a stream so that the peer cannot take it for a FIN: with a reset where the transport has one, with an error
 * for a stream that is not a `net.Socket` (an HTTP/2 stream would end cleanly without it).
 */
export function resetStream(stream: Duplex): void {
  if (!(stream instanceof net.Socket)) return void stream.destroy(new Error('aborted'));
  if (stream.destroyed) return;
  try {
    if (stream.connecting || stream.pending) resetWhileDialling(stream);
    else stream.resetAndDestroy();
  } catch {
    // ERR_INVALID_HANDLE_TYPE: TLS, whose reset is on the handle beneath, or a pipe, which has none.
    resetBeneath(stream);
  }
  stream.destroy();
}

// The kernel finishes the handshake of TCP before Node emits 'connect', so the peer may have accepted the connection,
// and destroy() would send it a FIN. Without a local port there is no descriptor yet, and nobody has heard of this
// side.
function resetWhileDialling(stream: net.Socket): void {
  if (stream.localPort === undefined) return;
  // resetAndDestroy() waits for 'connect' while this is set.
  (stream as { connecting: boolean }).connecting = false;
  stream.resetAndDestroy();
}

// Closing a TLS stream sends close_notify and FIN, which tell the peer that everything was sent. The handle beneath
// resets instead.
function resetBeneath(stream: Duplex): void {
  const { _handle: handle } = stream as unknown as { _handle?: { _parent?: Partial<ClosableHandle> | null } | null };
  const beneath = handle?._parent;
  if (typeof beneath?.reset !== 'function' || typeof beneath.close !== 'function') return;
  const { reset, close } = beneath;
  beneath.close = (callback) => {
    let isClosed = false;
    const onClose = () => {
      if (!isClosed) callback?.();
      isClosed = true;
    };
    if (reset.call(beneath, onClose) !== 0) close.call(beneath, callback);
    // Deno resets, and calls nobody. Node calls in this turn of the event loop or in the next.
    else inTurns(TURNS_TO_SECOND_END, onClose);
  };
}

function inTurns(turns: number, act: () => void): void {
  setImmediate(() => (turns > 1 ? inTurns(turns - 1, act) : act()));
}

/**
 * Keeps write errors from destroying the stream. The peer may have answered before it stopped reading, and the answer
 * is still to be read. `onWriteError` receives the first error; later writes do nothing.
 * @returns `true` if the patch could be applied. Otherwise failed writes arrive as the stream's `'error'` event.
 */
export function shieldWrites(stream: Duplex, patcher: Patcher): boolean {
  const inner = stream as unknown as Patched;
  if (!nodeInternals.writes || !(stream instanceof net.Socket)) return false;
  const { _write, _writev, _final } = inner;
  if (typeof _write !== 'function' || typeof _writev !== 'function' || typeof _final !== 'function') return false;
  // Other code may have put methods of its own on this stream.
  const isOwn = ['_write', '_writev', '_final'].some((name) => Object.hasOwn(inner, name));
  patcher.unpatched = isOwn ? { _write, _writev, _final } : Object.getPrototypeOf(stream);
  inner[PATCHER] = patcher;
  inner._write = shieldedWrite;
  inner._writev = shieldedWritev;
  inner._final = shieldedFinal;
  return true;
}

function shieldedWrite(this: Patched, chunk: unknown, encoding: string, callback: Callback): void {
  const { hasSeenWriteError, unpatched } = this[PATCHER];
  if (!hasSeenWriteError) unpatched?._write.call(this, chunk, encoding, shielded(this, callback));
}

function shieldedWritev(this: Patched, chunks: unknown, callback: Callback): void {
  const { hasSeenWriteError, unpatched } = this[PATCHER];
  if (!hasSeenWriteError) unpatched?._writev.call(this, chunks, shielded(this, callback));
}

function shieldedFinal(this: Patched, callback: Callback): void {
  const { hasSeenWriteError, unpatched } = this[PATCHER];
  if (hasSeenWriteError) callback();
  else unpatched?._final.call(this, shielded(this, callback));
}

function shielded(stream: Patched, callback: Callback): Callback {
  return (error) => {
    if (!error) return callback();
    // The patches of a stream that was detached are gone.
    const patcher: Patcher | undefined = stream[PATCHER];
    if (stream.destroyed || !patcher) return callback(error);
    if (patcher.hasSeenWriteError) return;
    patcher.hasSeenWriteError = true;
    patcher.onWriteError(error);
  };
}
