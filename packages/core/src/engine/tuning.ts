// Settings of the Node stream beneath a socket that may change while it is open.
import type net from 'node:net';
import type { Duplex } from 'node:stream';

/** What is left out stays as it is. */
export interface StreamTuning {
  /** Whether small writes are sent at once (TCP_NODELAY). */
  readonly noDelay?: boolean;
  /**
   * Whether the system probes an idle peer (SO_KEEPALIVE), and after how many milliseconds; 0 keeps the present time.
   */
  readonly keepAlive?: { readonly enable: boolean; readonly initialDelay: number };
  /** Whether the open connection keeps the process running. */
  readonly ref?: boolean;
}

/** Changes the settings of a stream. A stream that does not have one of them ignores it. */
export function applyTuning(stream: Duplex, { noDelay, keepAlive, ref }: StreamTuning): void {
  const tunable = stream as Partial<net.Socket>;
  if (noDelay !== undefined) tunable.setNoDelay?.(noDelay);
  if (keepAlive) tunable.setKeepAlive?.(keepAlive.enable, keepAlive.initialDelay);
  if (ref === true) tunable.ref?.();
  if (ref === false) tunable.unref?.();
}
