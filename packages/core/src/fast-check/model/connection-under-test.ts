// What socketModel() needs of a connection that it checks.
import type { Socket } from '../../socket.js';
import type { VirtualClock } from '../../testing/virtual-clock.js';
import type { FarEnd } from './far-end.js';

/** The connection that {@link socketModel} checks. */
export interface ConnectionUnderTest {
  /** The socket that is checked: open, or not dialled yet. Nobody has subscribed to it. */
  readonly near: Socket;
  /** The other end, once it is there. It should have no time limits of its own. */
  readonly far: FarEnd | Promise<FarEnd>;
  /**
   * The scheduler of both ends, if it is virtual. Time passes only when the model says so.
   * @defaultValue real time
   */
  readonly clock?: VirtualClock | undefined;
  /** Aborts the `signal` that the near socket was given. @defaultValue there is no signal */
  readonly abort?: ((reason: unknown) => void) | undefined;
  /** Closes the server of the near socket, which aborts it. @defaultValue there is no server */
  readonly drain?: (() => void) | undefined;
  /** Whether the transport can reset a connection. UNIX sockets cannot. @defaultValue `true` */
  readonly hasResets?: boolean | undefined;
  /** Frees what the connection needs, after every run. */
  readonly close?: (() => Promise<void> | void) | undefined;
}
