// The option `setup` of reconnect() and connectionPool().
import type { ObservableInput } from 'rxjs';
import { checkFunction, checkTimeout } from '../base/check.js';
import type { Socket } from '../socket.js';

/**
 * Prepares a new connection: waits for a greeting, logs in, upgrades to TLS.
 *
 * It is done when it returns, or when its promise resolves, or when its Observable completes. If it gives a socket, as
 * `upgrade()` of `@rxsock/tls` does, that one is used from now on. Other values mean nothing.
 */
export type Setup = (socket: Socket) => ObservableInput<unknown> | undefined;

/** The options of a setup. */
export interface SetupOptions {
  /**
   * Called for every new connection, before anybody else reads from it or writes to it. What is written meanwhile
   * waits. The next reader continues where it has stopped reading. If it fails, or leaves a reader or a hold behind, the
   * attempt to connect has failed: the connection is aborted, also after an `upgrade()`.
   * @defaultValue none
   */
  readonly setup?: Setup | undefined;
  /** How long `setup` may take, in milliseconds. 0 and Infinity mean no limit. @defaultValue 10,000 */
  readonly setupTimeout?: number | undefined;
}

/** Fills in the defaults. Throws a TypeError or RangeError for an option that is not valid. */
export function resolveSetup({ setup, setupTimeout = 10_000 }: SetupOptions): {
  readonly setup: Setup | undefined;
  readonly setupTimeout: number;
} {
  if (setup !== undefined) checkFunction('setup', setup, 'a function that takes a socket');
  checkTimeout('setupTimeout', setupTimeout);
  return { setup, setupTimeout };
}
