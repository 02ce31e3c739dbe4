// A bus carries lines of text between processes and machines: every process that is on it hears every line.
import { type Observable, Subject } from 'rxjs';

/** What happens on a bus, as one process sees it. */
export type BusEvent =
  | { readonly type: 'message'; readonly text: string }
  /** This process has lost the bus. Until `up` it hears nothing, and `publish()` rejects. */
  | { readonly type: 'down' }
  /** This process is back on the bus. It does not receive what others published meanwhile. */
  | { readonly type: 'up' };

/** What the chat needs of Redis, NATS, or whatever else joins processes. */
export interface Bus {
  /**
   * Sends a line to all processes, including this one. Resolves after `events` has emitted the line here. Rejects if
   * the bus is down, or goes down before it has confirmed the line: then some processes may have received it.
   */
  publish(text: string): Promise<void>;
  /** Nobody can hold it: a bus disconnects a process that does not keep up. */
  readonly events: Observable<BusEvent>;
  /** Leaves the bus, after everything that was published has been sent. */
  close(): Promise<void>;
}

/** A bus for a program that is one process. */
export function localBus(): Bus {
  const events = new Subject<BusEvent>();
  return { publish: async (text) => events.next({ type: 'message', text }), events, close: async () => {} };
}
