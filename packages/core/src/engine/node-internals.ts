// The Node internals that the engine leans on, and nothing else: each has a feature check, and `undefined` or `false`
// from here sends the caller the documented way. `internals` turns them off, so that tests run both ways.
import net from 'node:net';
import type { Duplex } from 'node:stream';

export const nodeInternals = {
  /** Take what was read from `push`, and confirm an end by a second read. */
  reads: true,
  /** Keep a failed write from destroying the stream with what it has received. */
  writes: true,
};

interface Handle {
  readStart(): number;
  /** Of a TLS handle: whether it takes what comes. */
  reading?: boolean;
  /** Of a TLS handle: the one beneath it. */
  _parent?: Handle | null;
}
interface Inner {
  _handle: Handle | null;
  destroyed: boolean;
  push(chunk: Buffer | null): boolean;
  _read(size: number): void;
  _write(chunk: unknown, encoding: string, done: Done): void;
  _writev(chunks: unknown, done: Done): void;
  _final(done: Done): void;
}
interface Closable {
  close(done?: () => void): void;
  /** Answers 0 if it was done. */
  reset(done?: () => void): number;
}
type Done = (error?: Error | null) => void;

/**
 * Takes bytes as they come from the handle, past Node's own buffer: what was received before an error is not lost with
 * it. `take` answers whether to go on. The end is believed at the second read only: Node 20 and 22 report data followed
 * by a reset as a clean end, and the second read then tells the reset.
 *
 * TLS tells its end once only; there it is the handle beneath that shows what it is worth. One that begins to read again,
 * although TLS was reading, has met the end of TCP: nobody has closed the secure stream, so it was cut, which Node reports
 * like a clean end. After a close_notify the handle beneath is still reading, or TLS is not.
 * @param end Told the end, and whether it is such a cut.
 * @returns How to go on after `take` said no, or `undefined` where this is not to be had.
 */
export function tapReads(
  stream: Duplex,
  take: (chunk: Buffer) => boolean,
  end: (cut: boolean) => void,
): (() => void) | undefined {
  const inner = stream as unknown as Inner;
  if (!nodeInternals.reads || !(stream instanceof net.Socket)) return undefined;
  if (typeof inner._read !== 'function' || typeof inner.push !== 'function') return undefined;
  // Somebody else has used the stream: what it has read since is in Node's buffer, or its end is.
  if (stream.readableLength > 0 || stream.readableEnded) return undefined;
  const secure = 'encrypted' in stream;
  let suspected = secure;
  let ended = false;
  inner.push = (chunk) => {
    if (chunk !== null) return take(chunk);
    if (!suspected && typeof inner._handle?.readStart === 'function' && !inner.destroyed) {
      suspected = true;
      if (inner._handle.readStart() === 0) return false;
    }
    if (!ended) {
      ended = true;
      end(secure && !inner.destroyed && handleBeneath(inner)?.readStart() === 0);
    }
    return false;
  };
  return () => inner._read(0);
}

// Only one of the kernel's answers so: not one in JavaScript, nor TLS in TLS.
function handleBeneath({ _handle: handle }: Inner): Handle | undefined {
  const beneath = handle?.reading ? handle._parent : undefined;
  return beneath && ['TCP', 'Pipe'].includes(beneath.constructor.name) ? beneath : undefined;
}

/** Takes back what `tapReads` and `shieldWrites` have put in place. */
export function removePatches(stream: Duplex): void {
  for (const name of ['push', '_write', '_writev', '_final']) Reflect.deleteProperty(stream, name);
}

/** Bytes that libuv has not yet handed to the kernel. They shrink in the middle of a write; 0 where that is not to be seen. */
export function queuedBytes(stream: Duplex): number {
  const { _handle: handle } = stream as unknown as { _handle?: { writeQueueSize?: number } | null };
  return handle?.writeQueueSize ?? 0;
}

/**
 * Destroys a stream so that the peer cannot take it for a FIN: a reset where the transport has one, an error for a stream
 * that is none of Node's sockets (one of HTTP/2 ends cleanly without it). While dialling there is nobody to reset.
 */
export function resetStream(stream: Duplex): void {
  if (!(stream instanceof net.Socket)) return void stream.destroy(new Error('aborted'));
  if (stream.destroyed) return;
  try {
    if (!stream.connecting && !stream.pending) stream.resetAndDestroy();
  } catch {
    // ERR_INVALID_HANDLE_TYPE: TLS, which has one beneath, or a pipe, which has none.
    resetBeneath(stream);
  }
  stream.destroy();
}

// Makes the closing of a TLS stream reset the TCP connection beneath it. By itself it sends close_notify and FIN, which say
// that all was sent.
function resetBeneath(stream: Duplex): void {
  const { _handle: handle } = stream as unknown as { _handle?: { _parent?: Partial<Closable> | null } | null };
  const beneath = handle?._parent;
  if (typeof beneath?.reset !== 'function' || typeof beneath.close !== 'function') return;
  const { reset, close } = beneath;
  beneath.close = (done) => {
    if (reset.call(beneath, done) !== 0) close.call(beneath, done);
  };
}

/**
 * Keeps write errors from destroying the stream: the peer may have answered before it stopped listening, and that
 * answer is still to be read. `failed` hears of the first one; after it every write is swallowed.
 * @returns Whether this is to be had; if not, the stream's `'error'` tells of failed writes.
 */
export function shieldWrites(stream: Duplex, failed: (error: Error) => void): boolean {
  const inner = stream as unknown as Inner;
  if (!nodeInternals.writes || !(stream instanceof net.Socket)) return false;
  const { _write, _writev, _final } = inner;
  if (typeof _write !== 'function' || typeof _writev !== 'function' || typeof _final !== 'function') return false;
  let broken = false;
  const shielded =
    (done: Done): Done =>
    (error) => {
      if (!error) return done();
      if (inner.destroyed) return done(error);
      if (!broken) {
        broken = true;
        failed(error);
      }
    };
  inner._write = (chunk, encoding, done) => {
    if (!broken) _write.call(inner, chunk, encoding, shielded(done));
  };
  inner._writev = (chunks, done) => {
    if (!broken) _writev.call(inner, chunks, shielded(done));
  };
  inner._final = (done) => {
    if (broken) done();
    else _final.call(inner, shielded(done));
  };
  return true;
}
