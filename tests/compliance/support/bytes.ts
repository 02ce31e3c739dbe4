// Bytes to send. Neighbouring bytes differ, and every run uses the same ones.
import type { Socket } from '@rxsock/core';
import { expect } from 'vitest';

/** `length` bytes in an order that repeats only after 2 GiB. */
export function bytes(length: number, seed = 1): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    buffer[at] = state >>> 16;
  }
  return buffer;
}

/** Numbers from 1 to `most` that add up to `total`, the same in each run. */
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

/** More bytes than a kernel buffers. */
export const MORE_THAN_KERNEL_BUFFERS = 20_000_000;

/** Writes so many bytes that some have to wait for the peer. */
export function fillBuffers(socket: Socket): void {
  const chunk = Buffer.alloc(1_000_000);
  for (let written = 0; written < MORE_THAN_KERNEL_BUFFERS; written += chunk.length) socket.next(chunk);
}
