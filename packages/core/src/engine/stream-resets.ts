// Destroys streams with a reset, on any transport that has one.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate } from '../base/real-timers.js';

/** How many turns of the event loop the close of a handle may take. Node needs one. */
const TURNS_TO_CLOSE = 8;

interface ClosableHandle {
  close(callback?: () => void): void;
  /** Returns 0 on success. */
  reset(callback?: () => void): number;
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
    else inTurns(TURNS_TO_CLOSE, onClose);
  };
}

function inTurns(turns: number, act: () => void): void {
  setImmediate(() => (turns > 1 ? inTurns(turns - 1, act) : act()));
}
