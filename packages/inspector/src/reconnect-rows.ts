// The rows of the reconnecting sockets. They say themselves how they are. Only those that have failed are remembered.
import { idOf, liveReconnects, type ObservedReconnect } from '@rxsock/core/internal';
import { describeError } from './describe-error.js';
import type { ReconnectRow } from './messages.js';
import { nameOf } from './socket-record.js';

/** How many failed ones are remembered. */
const MOST_FAILED = 20;
/** Those with trouble come first. */
const ORDER = ['closed', 'waiting', 'connecting', 'open', 'idle'];

export class ReconnectRows {
  readonly #failed: ReconnectRow[] = [];

  /** A reconnecting socket has ended. */
  noteEnd(owner: object, error: unknown): void {
    if (error === undefined) return;
    for (const observed of liveReconnects) {
      if (observed.owner !== owner) continue;
      this.#failed.push({ ...rowOf(observed), lastEnd: describeError(error), lastEndAt: Date.now() });
      if (this.#failed.length > MOST_FAILED) this.#failed.shift();
      return;
    }
  }

  /** @param most How many rows at most. */
  rows(most: number): { readonly rows: ReconnectRow[]; readonly total: number } {
    // Not sorted: there may be thousands.
    const byState = new Map<string, ObservedReconnect[]>(ORDER.map((state) => [state, []]));
    for (const each of liveReconnects) byState.get(each.state)?.push(each);
    const live = [...byState.values()].flat();
    return {
      rows: [...this.#failed, ...live.slice(0, Math.max(0, most - this.#failed.length)).map(rowOf)],
      total: this.#failed.length + live.length,
    };
  }
}

function rowOf({ owner = {}, state, target, socket, retries, retryAt, lastEnd }: ObservedReconnect): ReconnectRow {
  const { report, error } = lastEnd ?? {};
  const how = report ? `${report.how} by ${report.by}` : '';
  return {
    id: idOf(owner),
    name: nameOf(owner as { readonly name: unknown }),
    target,
    state,
    retries,
    retryAt: retryAt ?? 0,
    socket: socket ? idOf(socket) : 0,
    lastEnd: error === undefined ? how : describeError(error),
    lastEndAt: lastEnd?.at ?? 0,
  };
}
