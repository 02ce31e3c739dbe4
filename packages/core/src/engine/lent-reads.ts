// Received bytes that are lent. Node allocates new memory for each read, and clearing and freeing that memory costs more
// than most consumers do. A consumer that uses up its bytes at once, such as lines(), does not need memory of its own:
// all sockets with such a consumer read into the same 64 KiB, which belong to the consumer until it returns.
//
// This is how the option `onread` of net.connect() works inside Node. Accepted sockets have no such option, but the same
// three parts: two properties, whose symbols are found by their names, and a method of the handle.
import type { Duplex } from 'node:stream';
import { nodeInternals, patcherOf } from './node-internals.js';

/** How much libuv reads at once, in bytes. */
const SIZE = 64 * 1024;

/** The memory that is lent. Only one read of a thread is in progress at any time. */
let shared: Buffer | undefined;

/** The symbols of Node's properties: the memory that a stream reads into, and who receives it. */
interface Keys {
  readonly kBuffer: symbol;
  readonly kBufferCb: symbol;
}
/** `undefined` before the first search; `null` where there are no such symbols. */
let keys: Keys | null | undefined;

interface Lendable {
  readonly _handle?: { useUserBuffer?(memory: Uint8Array): void } | null;
  [key: symbol]: unknown;
}

/**
 * Makes a stream whose reads are tapped read into the memory that is lent. A stream cannot go back: what it reads while
 * nothing can be lent is copied. So call this only when a consumer borrows. Where
 * Node does not support it, the stream is unchanged.
 */
export function lendReads(stream: Duplex): void {
  if (!nodeInternals.lending) return;
  if (keys === undefined) keys = findKeys(stream);
  const inner = stream as unknown as Lendable;
  if (!keys || typeof inner._handle?.useUserBuffer !== 'function') return;
  // It has its own `onread`, or has had a socket that lent.
  if (inner[keys.kBuffer] !== null) return;
  shared ??= Buffer.allocUnsafeSlow(SIZE);
  inner[keys.kBuffer] = shared;
  inner[keys.kBufferCb] = onRead;
  inner._handle.useUserBuffer(shared);
}

function findKeys(stream: Duplex): Keys | null {
  const found: Record<string, symbol> = {};
  for (const symbol of Object.getOwnPropertySymbols(stream)) found[symbol.description ?? ''] = symbol;
  const { kBuffer, kBufferCb } = found;
  return kBuffer && kBufferCb ? { kBuffer, kBufferCb } : null;
}

/** Node calls it after each read. It returns whether to read on. */
function onRead(this: Duplex, length: number, memory: Buffer): boolean {
  const patcher = patcherOf(this);
  if (patcher?.lends && patcher.onLentChunk) return patcher.onLentChunk(memory.subarray(0, length));
  // Nobody borrows, or the stream has gone to other code.
  const copy = Buffer.allocUnsafeSlow(length);
  memory.copy(copy, 0, 0, length);
  return this.push(copy);
}
