// The option `via` of connect(): a dial through a proxy in place of one to addresses.
import { checkFunction, checkObject, checkPort } from '../base/check.js';
import { checkHost, checkHostForPeer } from '../base/host.js';
import type { DialTransport } from '../engine/transport.js';
import { applyTuning, type KeepAliveTuning } from '../engine/tuning.js';
import type { Connector } from './connector.js';
import { prepared } from './prepared.js';

/** The options that choose addresses. The proxy chooses them. */
const OF_THE_PROXY = ['family', 'localAddress', 'localPort', 'attemptDelay', 'lookup'] as const;

/** @throws TypeError or RangeError for options that do not go with `via`. */
export function checkVia(
  via: Connector,
  options: { readonly host?: string | undefined; readonly port: unknown } & {
    readonly [name in (typeof OF_THE_PROXY)[number]]?: unknown;
  },
): void {
  checkObject('via', via, 'socks5(…) or httpConnect(…)');
  checkFunction('via.dial', via.dial, 'that of socks5(…) or httpConnect(…)');
  checkPort('port', options.port, 1);
  checkHostForPeer('host', checkHost('host', options.host ?? 'localhost'));
  const wrong = OF_THE_PROXY.find((name) => options[name] !== undefined);
  if (wrong) throw new TypeError(`${wrong} does not go with via: give it to the proxy's options`);
}

/** What to reach through a proxy, and what to set on the open stream: the proxy's socket has its own options. */
export interface ViaOptions {
  readonly target: string;
  readonly host: string;
  readonly port: number;
  readonly noDelay: boolean;
  readonly keepAlive: KeepAliveTuning;
}

export function dialVia(via: Connector, options: ViaOptions): Pick<DialTransport, 'target' | 'dial'> {
  const { target, host, port, ...tuning } = options;
  return {
    target: `${target} through ${via.name}`,
    dial: (handlers) =>
      via.dial(
        { host, port },
        prepared(handlers, (stream) => applyTuning(stream, tuning)),
      ),
  };
}
