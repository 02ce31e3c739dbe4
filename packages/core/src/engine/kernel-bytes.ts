// How many bytes of a stream the kernel has taken.
import type { Duplex } from 'node:stream';

interface WritingHandle {
  /** With the bytes that wait in libuv. */
  readonly bytesWritten?: number;
  /** How many bytes wait in libuv. */
  readonly writeQueueSize?: number;
  /** Of a TLS handle: the handle beneath it. */
  readonly _parent?: WritingHandle | null;
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
