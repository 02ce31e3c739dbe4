// Which proxies a server believes.
import { BlockList, isIP } from 'node:net';
import { checkObject, checkTimeout, typeError } from '../base/check.js';

/** What a server with `proxyProtocol` expects: see {@link ListenOptions}. */
export interface ProxyProtocolOptions {
  /**
   * The proxies that it believes: addresses (`'192.0.2.1'`) and networks (`'192.0.2.0/24'`, `'2001:db8::/32'`), or a
   * `BlockList` of Node. Anybody else is refused.
   */
  readonly trusted: readonly string[] | BlockList;
  /**
   * How long the header may take after the connection was accepted, in milliseconds. 0 and Infinity mean no limit.
   * @defaultValue 10,000
   */
  readonly timeout?: number | undefined;
}

/** The checked options. */
export interface ExpectedProxies {
  isTrusted(address: string | undefined): boolean;
  readonly timeout: number;
}

/** @throws TypeError or RangeError for an option that is not valid. */
export function resolveProxyProtocol(options: ProxyProtocolOptions): ExpectedProxies {
  checkObject('proxyProtocol', options, "an object, as in { trusted: ['192.0.2.0/24'] }");
  const list = listOf(options.trusted);
  const isTrusted = (address: string | undefined) => {
    const family = isIP(address ?? '');
    return family > 0 && list.check(address as string, `ipv${family as 4 | 6}`);
  };
  return { isTrusted, timeout: checkHeaderTimeout(options) };
}

/** The same for a server that only trusted processes can reach. */
export function resolveLocalProxyProtocol(options: Pick<ProxyProtocolOptions, 'timeout'>): ExpectedProxies {
  checkObject('proxyProtocol', options, 'an object, as in { timeout: 5000 }');
  return { isTrusted: () => true, timeout: checkHeaderTimeout(options) };
}

function checkHeaderTimeout({ timeout = 10_000 }: Pick<ProxyProtocolOptions, 'timeout'>): number {
  checkTimeout('proxyProtocol.timeout', timeout);
  return timeout;
}

function listOf(trusted: unknown): BlockList {
  if (trusted instanceof BlockList) return trusted;
  const what = "an array of addresses and networks, such as ['192.0.2.1', '2001:db8::/32'], or a BlockList";
  if (!Array.isArray(trusted) || trusted.length === 0) throw typeError('proxyProtocol.trusted', what, trusted);
  const list = new BlockList();
  for (const [index, each] of trusted.entries()) addTo(list, each, `proxyProtocol.trusted[${index}]`);
  return list;
}

function addTo(list: BlockList, each: unknown, name: string): void {
  const [address = '', prefix, ...more] = typeof each === 'string' ? each.split('/') : [];
  const family = address.includes('%') ? 0 : isIP(address);
  const bits = family === 4 ? 32 : 128;
  const isPrefix = prefix === undefined || (/^(0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= bits);
  if (family === 0 || !isPrefix || more.length > 0)
    throw typeError(name, 'an address or a network, such as 192.0.2.0/24', each);
  if (prefix === undefined) list.addAddress(address, `ipv${family as 4 | 6}`);
  else list.addSubnet(address, Number(prefix), `ipv${family as 4 | 6}`);
}
