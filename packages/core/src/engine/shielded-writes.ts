// Keeps a failed write from destroying the stream, with the bytes that the stream has received.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { type Callback, nodeInternals, PATCHER, type Patched, type Patcher, WRITE_METHODS } from './node-internals.js';

/**
 * Keeps write errors from destroying the stream. The peer may have answered before it stopped reading, and the answer
 * is still to be read. `onWriteError` receives the error; later writes do nothing. If the stream cannot be patched,
 * failed writes arrive as its `'error'` event.
 */
export function shieldWrites(stream: Duplex, patcher: Patcher): void {
  const inner = stream as unknown as Patched;
  if (!nodeInternals.writes || !(stream instanceof net.Socket)) return;
  if (WRITE_METHODS.some((name) => typeof inner[name] !== 'function')) return;
  const { _write, _writev, _final } = inner;
  // Other code may have put methods of its own on this stream.
  const isOwn = WRITE_METHODS.some((name) => Object.hasOwn(inner, name));
  patcher.unpatched = isOwn ? { _write, _writev, _final } : Object.getPrototypeOf(stream);
  inner[PATCHER] = patcher;
  inner._write = shieldedWrite;
  inner._writev = shieldedWritev;
  inner._final = shieldedFinal;
}

function shieldedWrite(this: Patched, chunk: unknown, encoding: string, callback: Callback): void {
  this[PATCHER].unpatched?._write.call(this, chunk, encoding, shielded(this, callback, true));
}

function shieldedWritev(this: Patched, chunks: unknown, callback: Callback): void {
  this[PATCHER].unpatched?._writev.call(this, chunks, shielded(this, callback, true));
}

function shieldedFinal(this: Patched, callback: Callback): void {
  this[PATCHER].unpatched?._final.call(this, shielded(this, callback, false));
}

// A stream whose write is not called back writes nothing more, and does not end its side.
function shielded(stream: Patched, callback: Callback, isWrite: boolean): Callback {
  return (error) => {
    // The patches of a stream that was detached are gone.
    const patcher: Patcher | undefined = stream[PATCHER];
    if (!error) {
      callback();
      if (isWrite) patcher?.onWritten?.();
    } else if (stream.destroyed || !patcher) callback(error);
    else patcher.onWriteError(error);
  };
}
