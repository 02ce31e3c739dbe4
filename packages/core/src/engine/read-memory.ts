// The memory that sockets read into. Node allocates 64 KiB for each read, and shrinks it to what was received. For a small
// message that costs more than all else that happens to it. So the sockets of a thread read into the same 64 KiB, from
// which small chunks are copied. A socket that receives large chunks gets a new block for each, and copies nothing:
//
//   shared ──a large read──▶ own ──a small read, or one for a decoder──▶ shared
//
// A consumer that uses up its bytes at once, such as lines(), needs no memory at all: the chunk is lent to it.
//
// This is how the option `onread` of net.connect() works inside Node. Accepted sockets have no such option, but the same
// four parts: three properties, whose symbols are found by their names, and a method of the handle.
import type { Duplex } from 'node:stream';
import { allocateShared, copyBytes } from '../base/copy-bytes.js';
import { nodeInternals, type Patcher, patcherOf } from './node-internals.js';

/** How much libuv reads at once, in bytes. */
const SIZE = 64 * 1024;

/** From this length on, a chunk is not copied: it keeps at most as much again in memory. */
const LARGE = SIZE / 2;

/** How many sockets of a thread may have a block of their own that waits for bytes: 4 MiB in all. */
const MOST_OWNERS = 64;
let owners = 0;

/** The memory that all sockets read into. Only one read of a thread is in progress at any time. */
let shared: Buffer | undefined;

/** A block that a socket has left unused. */
let spare: Buffer | undefined;

/** What the stream that has just read reads into next: `null` for the same memory. `undefined` if no stream has. */
let next: Buffer | null | undefined;

/** The symbols of Node's properties: the memory that a stream reads into, who receives it, and what replaces it. */
interface Keys {
  readonly kBuffer: symbol;
  readonly kBufferCb: symbol;
  readonly kBufferGen: symbol;
}
/** `undefined` before the first search; `null` where there are no such symbols. */
let keys: Keys | null | undefined;

interface Readable {
  readonly _handle?: { useUserBuffer?(memory: Uint8Array): void } | null;
  [key: symbol]: unknown;
}

/**
 * Makes a stream whose reads are tapped read into this memory. It cannot go back to that of Node. Where Node does not
 * support it, the stream is unchanged.
 */
export function ownReads(stream: Duplex): void {
  if (!nodeInternals.readMemory) return;
  if (keys === undefined) keys = findKeys(stream);
  const inner = stream as unknown as Readable;
  if (!keys || typeof inner._handle?.useUserBuffer !== 'function') return;
  // It has its own `onread`, or has had a socket before.
  if (inner[keys.kBuffer] !== null) return;
  shared ??= allocateShared(SIZE);
  inner[keys.kBuffer] = shared;
  inner[keys.kBufferCb] = onRead;
  inner[keys.kBufferGen] = nextMemory;
  inner._handle.useUserBuffer(shared);
}

function findKeys(stream: Duplex): Keys | null {
  const found: Record<string, symbol> = {};
  for (const symbol of Object.getOwnPropertySymbols(stream)) found[symbol.description ?? ''] = symbol;
  const { kBuffer, kBufferCb, kBufferGen } = found;
  return kBuffer && kBufferCb && kBufferGen ? { kBuffer, kBufferCb, kBufferGen } : null;
}

/** Node calls it after each read. It returns whether to read on. */
function onRead(this: Duplex, length: number, memory: Buffer): boolean {
  // `undefined` if the stream has gone to other code.
  const patcher = patcherOf(this) as Patcher | undefined;
  const lends = patcher?.lends === true;
  // Other code gets copies only: if a listener of it throws, Node does not ask for the next memory, and reads into the
  // same again.
  const isLarge = patcher !== undefined && length >= LARGE && !lends;
  const after = isLarge && mayOwn(patcher) ? newBlock() : shared;
  if (!isLarge && patcher) disown(patcher);
  const readsOn = lends
    ? patcher.onLentChunk?.(memory.subarray(0, length)) === true
    : this.push(isLarge && memory !== shared ? memory.subarray(0, length) : copyBytes(memory, 0, length));
  if (!isLarge && memory !== shared) spare = memory;
  next = after === memory ? null : after;
  return readsOn;
}

/**
 * Node calls it after `onRead`. It also calls it for a stream that connects again, after it has left its socket: the new
 * handle has no memory yet. Without an answer, Node would read into memory of its own, and pass on what others have read.
 */
function nextMemory(): Buffer | undefined {
  const memory = next === undefined ? shared : next;
  next = undefined;
  return memory ?? undefined;
}

function newBlock(): Buffer {
  const block = spare ?? Buffer.allocUnsafeSlow(SIZE);
  spare = undefined;
  return block;
}

function mayOwn(patcher: Patcher): boolean {
  if (!patcher.ownsMemory && owners < MOST_OWNERS) {
    patcher.ownsMemory = true;
    owners++;
  }
  return patcher.ownsMemory;
}

/** How many sockets have a block of their own. */
export function ownedBlocks(): number {
  return owners;
}

/** The stream of this patcher reads into a block of its own no more. */
export function disown(patcher: Patcher): void {
  if (!patcher.ownsMemory) return;
  patcher.ownsMemory = false;
  owners--;
}
