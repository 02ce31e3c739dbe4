// What can be seen of a modelled connection, to compare it with the model.
import type { Socket } from '../../socket.js';
import type { FarEnd } from './far-end.js';
import type { Reader } from './readers.js';
import type { Watcher } from './watcher.js';

export interface Observed {
  readonly near: Socket;
  readonly far: FarEnd | undefined;
  readonly reader: Reader | undefined;
  readonly watcher: Watcher | undefined;
  /** How many promises of `write()` and of `close()` have not settled. */
  readonly pendingWrites: number;
  readonly pendingCloses: number;
  /** How often `drain` came; `undefined` while nobody looks. */
  readonly drains: number | undefined;
  /** Set when `next()` has returned `false`: how often `drain` had come by then. */
  readonly drainsBefore: number | undefined;
}
