// The rows of the pools, which say themselves how they are.
import { idOf, livePools, type ObservedPool } from '@rxsock/core/internal';
import { describeError } from './describe-error.js';
import type { PoolRow } from './messages.js';
import { nameOf } from './socket-record.js';

/** @param most How many rows at most: those that let somebody wait come first. */
export function poolRows(most: number): { readonly rows: PoolRow[]; readonly total: number } {
  const pools = [...livePools];
  pools.sort((a, b) => b.waiting.size - a.waiting.size || b.states.size - a.states.size);
  return { rows: pools.slice(0, most).map(rowOf), total: pools.length };
}

function rowOf({ owner = {}, target, max, closed, states, waiting, lastFailure }: ObservedPool): PoolRow {
  const count = (wanted: string) => [...states.values()].filter((state) => state === wanted).length;
  const [idle, inUse] = [count('idle'), count('inUse')];
  return {
    id: idOf(owner),
    name: nameOf(owner as { readonly name: unknown }),
    target,
    state: closed ? 'closing' : 'open',
    size: states.size,
    max: Number.isFinite(max) ? max : 0,
    idle,
    inUse,
    waiting: waiting.size,
    lastError: lastFailure ? describeError(lastFailure.error) : '',
    lastErrorAt: lastFailure?.at ?? 0,
  };
}
