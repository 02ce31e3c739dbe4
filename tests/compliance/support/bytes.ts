// Bytes to send, none like its neighbours, and the same in each run.
import type { Socket } from '@rxsock/core';
import { expect } from 'vitest';

/** `length` bytes in an order that repeats after 2 GiB only. */
export function bytes(length: number, seed = 1): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    buffer[at] = state >>> 16;
  }
  return buffer;
}

/** Numbers from 1 to `most`, the same in each run, that add up to `total`. */
export function sizes(total: number, most: number): number[] {
  const all: number[] = [];
  for (let left = total, state = 7; left > 0; left -= all.at(-1) as number) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    all.push(Math.min(left, 1 + ((state >>> 8) % most)));
  }
  return all;
}

/** Compares without printing a megabyte. */
export function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length);
  const at = Buffer.compare(actual, expected) === 0 ? -1 : actual.findIndex((byte, index) => byte !== expected[index]);
  expect(at, 'the first byte that differs').toBe(-1);
}

/** More than kernels take by themselves, in bytes. */
export const MUCH = 20_000_000;

/** Writes so much that some of it has to wait for the peer. */
export function clog(socket: Socket): void {
  const chunk = Buffer.alloc(1_000_000);
  for (let written = 0; written < MUCH; written += chunk.length) socket.next(chunk);
}
