// The options that servers of all transports share, checked and with their defaults.
import cluster from 'node:cluster';
import { backlogOf, checkSize, checkTimeout } from '../base/check.js';
import { resolveSocketOptions, type SocketOptions } from '../engine/limits.js';
import type { Admission } from './admission.js';
import { ConnectionLimit } from './connection-limit.js';
import type { ServerLimits } from './server.js';

/** See {@link ListenOptions} for what they mean. */
interface SharedServerOptions extends SocketOptions {
  readonly backlog?: number | undefined;
  readonly maxConnections?: number | undefined;
  readonly claimTimeout?: number | undefined;
}

export interface ResolvedServerOptions {
  readonly backlog: number;
  /** For the Node server. */
  readonly maxConnections: number;
  /** The same limit where the Node server cannot have it. */
  readonly admissions: readonly Admission[];
  readonly limits: ServerLimits;
}

export function resolveServerOptions(options: SharedServerOptions): ResolvedServerOptions {
  const { signal, ...socket } = resolveSocketOptions(options);
  const { maxConnections = 10_000, claimTimeout = 10_000 } = options;
  const backlog = backlogOf(options.backlog);
  checkSize('maxConnections', maxConnections);
  checkTimeout('claimTimeout', claimTimeout);
  // The signal is for the server, which aborts its sockets.
  const limits = { socket: { ...socket, signal: undefined }, claimTimeout, signal };
  if (!cluster.isWorker) return { backlog, maxConnections, admissions: [], limits };
  const admissions = [new ConnectionLimit(maxConnections)];
  return { backlog, maxConnections: Number.POSITIVE_INFINITY, admissions, limits };
}
