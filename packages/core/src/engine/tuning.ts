// Settings of the Node stream beneath a socket that may change while it is open.
import type * as net from 'node:net';
import type { Duplex } from 'node:stream';

/** Whether and how the system probes an idle peer (SO_KEEPALIVE). The times are in milliseconds. */
export interface KeepAliveTuning {
  readonly enable: boolean;
  /** How long the peer may be idle. 0 keeps the present time. */
  readonly initialDelay: number;
  /** The time between two probes. Only some versions of Node can set it and `count`; the others ignore them. */
  readonly interval?: number | undefined;
  /** How many probes may stay without an answer. */
  readonly count?: number | undefined;
}

type SetKeepAlive = (enable: boolean, initialDelay: number, interval?: number, count?: number) => unknown;

/** What is left out stays as it is. */
export interface StreamTuning {
  /** Whether small writes are sent at once (TCP_NODELAY). */
  readonly noDelay?: boolean;
  readonly keepAlive?: KeepAliveTuning;
  /** Whether the open connection keeps the process running. */
  readonly ref?: boolean;
}

/** Changes the settings of a stream. A stream that does not have one of them ignores it. */
export function applyTuning(stream: Duplex, { noDelay, keepAlive, ref }: StreamTuning): void {
  const tunable = stream as Partial<net.Socket>;
  if (noDelay !== undefined) tunable.setNoDelay?.(noDelay);
  if (keepAlive) {
    const { enable, initialDelay, interval, count } = keepAlive;
    (tunable as { setKeepAlive?: SetKeepAlive }).setKeepAlive?.(enable, initialDelay, interval, count);
  }
  if (ref === true) tunable.ref?.();
  if (ref === false) tunable.unref?.();
}
