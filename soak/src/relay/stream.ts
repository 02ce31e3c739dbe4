// What both ends of a conversation do: make bytes, and read them at their pace.
import { setTimeout as delay } from 'node:timers/promises';
import { mapWithBackpressure, type Socket } from '@rxsock/core';
import { identity, type MonoTypeOperatorFunction, tap } from 'rxjs';
import { bytesOf } from '../bytes.js';
import { PlannedFault } from '../planned-fault.js';
import type { Random } from '../random.js';
import type { Pace } from './plan.js';

const STALL_CHANCE = 0.02;
/** In milliseconds. */
const LONGEST_STALL = 100;
const SLOW_CHUNK = 1;

/** Makes the bytes of a stream, in chunks of many sizes. @param failAt After how many bytes it fails. */
export function* makeBytes(
  stream: number,
  length: number,
  random: Random,
  failAt = Number.POSITIVE_INFINITY,
): Generator<Buffer> {
  for (let position = 0; position < length; ) {
    const most = Math.min(length, failAt) - position;
    if (most <= 0) throw new PlannedFault('the bytes have failed on purpose');
    const chunk = bytesOf(stream, position, Math.min(most, random.chance(0.8) ? 65_536 : random.size(1, 65_536)));
    position += chunk.length;
    yield chunk;
  }
}

/** Passes chunks on as a reader of this pace does. */
export function readAt(pace: Pace, socket: Socket, random: Random): MonoTypeOperatorFunction<Buffer> {
  if (pace === 'fast') return identity;
  if (pace === 'slow') return mapWithBackpressure((chunk: Buffer) => delay(SLOW_CHUNK, chunk));
  return tap(() => {
    if (!random.chance(STALL_CHANCE)) return;
    const release = socket.hold('a stall on purpose');
    setTimeout(release, random.integer(1, LONGEST_STALL));
  });
}
