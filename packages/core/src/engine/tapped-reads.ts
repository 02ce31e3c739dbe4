// Takes received bytes from the handle, past Node's buffer, and finds out what an end means.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate } from '../base/real-timers.js';
import {
  type Handle,
  nodeInternals,
  PATCHER,
  type Patched,
  type Patcher,
  type StreamInternals,
} from './node-internals.js';

/** How many turns of the event loop a second end may take. Node needs one. */
const TURNS_TO_SECOND_END = 8;

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
