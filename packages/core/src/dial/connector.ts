// What dials in place of TCP itself: through a proxy.
import type { Dial, DialHandlers } from '../engine/transport.js';

/** What to reach. */
export interface DialTarget {
  /** A name as A-labels, or an address. The proxy resolves it. */
  readonly host: string;
  readonly port: number;
}

/**
 * The way of a connection through a proxy: the option `via` of `connect()`. Created by `socks5()` and `httpConnect()` of
 * `@rxsock/core/proxy`.
 */
export interface Connector {
  /** What messages call it. */
  readonly name: string;
  /** @internal */
  dial(target: DialTarget, handlers: DialHandlers): Dial;
}
