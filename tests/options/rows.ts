// What the rows of all packages are made of.

import { memoryBudget } from '@rxsock/core';
import { socks5 } from '@rxsock/core/proxy';
import type { Kind } from './kinds.js';
import * as kind from './kinds.js';

/** Kinds by the name of the option. */
export type Options = Readonly<Record<string, Kind>>;

/** A public function or method, and the kinds of its options. */
export interface Row {
  /** As `publicOptions()` names it; a variant follows after a colon. */
  readonly name: string;
  readonly options: Options;
  /** What it needs besides the option that is tried. */
  readonly base: object;
  call(options: object): unknown;
  /** Ends what a call that went well has begun. */
  end(result: unknown): unknown;
}

/** Makes a row. The parameters have the type `never`, because most values that they get are wrong. */
export function row<R>(
  name: string,
  options: Options,
  call: (options: never) => R,
  { base = {}, end = () => {} }: { readonly base?: object; readonly end?: (result: Awaited<R>) => unknown } = {},
): Row {
  return { name, options, base, call: call as Row['call'], end: end as Row['end'] };
}

/** The options that every socket has. */
export const socketOptions: Options = {
  highWaterMark: kind.finiteSize,
  maxWriteBuffer: kind.size,
  allowHalfOpen: kind.flag,
  halfOpenTimeout: kind.timeout,
  finTimeout: kind.timeout,
  lingerTimeout: kind.timeout,
  idleTimeout: kind.timeout,
  holdTimeout: kind.timeout,
  minWriteRate: kind.bytesPerSecond,
  writeGracePeriod: kind.range(1, 2 ** 31 - 1),
  keepOpen: { good: [...kind.timeout.good, true, false], bad: ['', '1', 'unknown', null, Number.NaN, -1, -0, {}, []] },
  budget: kind.instance(memoryBudget(1)),
  signal: kind.signal,
  scheduler: kind.scheduler,
};

const keepAliveTime = kind.fraction(1, 32_767_000);
/** How a silent peer is probed. Some versions of Node refuse `interval` and `count` with an error of their own. */
const keepAlive: Options = {
  delay: kind.required(kind.fraction(0, 32_767_000)),
  interval: keepAliveTime,
  count: kind.range(1, 127),
};

const tcpOptions: Options = {
  ...socketOptions,
  noDelay: kind.flag,
  keepAlive: kind.also(kind.fraction(0, 32_767_000), {
    good: [{ delay: 1000 }],
    bad: [{ delay: '1000' }, { interval: 1000 }, { delay: 1000, interval: 0 }, { delay: 1000, count: 0 }],
  }),
};

/** The rows of the option `keepAlive` of a function. A number is a value of its own, so it stands in an array here. */
export const keepAliveRow = (name: string, call: (options: { readonly keepAlive: never }) => unknown): Row =>
  row(
    `${name} keepAlive`,
    keepAlive,
    (options) => call({ keepAlive: (typeof options === 'number' ? [options] : options) as never }),
    { base: { delay: 1000 } },
  );

export const dialOptions: Options = {
  ...tcpOptions,
  port: kind.required(kind.portOrService),
  host: kind.host,
  family: kind.family,
  localAddress: kind.address,
  localPort: kind.port,
  connectTimeout: kind.timeout,
  attemptDelay: kind.delay,
  lookup: kind.callback,
  proxyProtocol: kind.object({}, { version: 1 }),
  via: { good: [socks5({ port: 1080 })], bad: ['', 'unknown', null, 0, 1, true, {}, []] },
};

/** The header that a connection begins with. */
export const proxyHeader: Options = {
  version: kind.choice(1, 2),
  source: kind.never,
  destination: kind.never,
  tlvs: { good: [[]], bad: ['', 'unknown', null, 0, 1, true, {}, [null], [{}]] },
};

/** The header that a server expects. */
export const proxyProtocol: Options = {
  trusted: {
    required: true,
    good: [['::1'], ['10.0.0.0/8']],
    bad: [undefined, '', '::1', null, 0, true, {}, [], [''], ['a'], [null]],
  },
  timeout: kind.timeout,
};

export const acceptOptions: Options = {
  backlog: kind.size,
  maxConnections: kind.size,
  claimTimeout: kind.timeout,
};

/** A descriptor to listen on; with it, `host` and `port` must be left out. */
export const descriptor = kind.range(0, 2 ** 31 - 1);

export const listenOptions: Options = {
  ...tcpOptions,
  ...acceptOptions,
  port: kind.portOrService,
  host: kind.host,
  ipv6Only: kind.flag,
  reusePort: kind.flag,
  maxConnectionsPerAddress: kind.size,
  fd: descriptor,
  proxyProtocol: kind.object({ trusted: ['::1'] }),
};
