// The PROXY header that a dialled connection begins with: the option `proxyProtocol` of connect(), checked and encoded.
import { isIPv4, isIPv6 } from 'node:net';
import { addressBytes, plainAddress } from '../base/address-bytes.js';
import { toBytes } from '../base/bytes.js';
import { checkInteger, checkObject, checkOneOf, checkPort, typeError } from '../base/check.js';
import type { Endpoint, InternetEndpoint } from '../base/endpoint.js';
import { PATH_LENGTH, SIGNATURE } from './parse-binary.js';
import type { ProxyTlv } from './proxied.js';

/** The PROXY header that a dialled connection begins with. With it a proxy names its client to the server. */
export interface ProxyHeaderOptions {
  /** 1 is a line of text, 2 is binary and can carry `tlvs` and UNIX paths. @defaultValue 2 */
  readonly version?: 1 | 2 | undefined;
  /**
   * The client of this proxy: the `remote` of its socket. Without it the header says that the proxy has connected on its
   * own account.
   * @defaultValue none
   */
  readonly source?: Endpoint | undefined;
  /** Where the client has connected to: the `local` of its socket, of the same kind as `source`. @defaultValue none */
  readonly destination?: Endpoint | undefined;
  /** More fields, for version 2. Together with the addresses they have at most 65,535 bytes. @defaultValue none */
  readonly tlvs?: readonly ProxyTlv[] | undefined;
}

const MOST = 65_535;

/** @throws TypeError or RangeError for an option that is not valid. */
export function encodeProxyHeader(options: ProxyHeaderOptions): Buffer {
  checkObject('proxyProtocol', options, 'an object, as in { source: client.remote, destination: client.local }');
  const { version = 2, tlvs = [] } = options;
  checkOneOf('proxyProtocol.version', version, [1, 2]);
  const ends = endsOf(options);
  if (!Array.isArray(tlvs)) throw typeError('proxyProtocol.tlvs', 'an array of { type, value }', tlvs);
  if (version === 2) return encodeBinary(ends, tlvs);
  if (tlvs.length > 0) throw new TypeError('tlvs do not go with version 1: use version 2');
  return Buffer.from(`PROXY ${ends ? lineOf(ends) : 'UNKNOWN'}\r\n`);
}

type Ends = readonly [InternetEndpoint, InternetEndpoint] | readonly [string, string];

function endsOf({ source, destination }: ProxyHeaderOptions): Ends | undefined {
  if (source === undefined && destination === undefined) return undefined;
  const from = checkEnd('proxyProtocol.source', source);
  const to = checkEnd('proxyProtocol.destination', destination);
  if (typeof from === 'string' && typeof to === 'string') return [from, to];
  if (typeof from === 'string' || typeof to === 'string' || from.family !== to.family)
    throw typeError('proxyProtocol.destination', 'an endpoint of the same kind as source', destination);
  return [from, to];
}

/** Returns the path of an end, or its address, port and family. An IPv4 address that is mapped to IPv6 is IPv4. */
function checkEnd(name: string, end: unknown): InternetEndpoint | string {
  checkObject(name, end, 'an endpoint, such as the remote or local of a socket');
  const { path, address, port } = end as { [key in 'path' | 'address' | 'port']?: unknown };
  if (typeof path === 'string') {
    if (Buffer.byteLength(path) <= PATH_LENGTH) return path;
    throw typeError(`${name}.path`, `a path of at most ${PATH_LENGTH} bytes`, path);
  }
  if (typeof address !== 'string' || !(isIPv4(address) || isIPv6(address)))
    throw typeError(`${name}.address`, 'an IPv4 or IPv6 address', address);
  checkPort(`${name}.port`, port);
  const plain = plainAddress(address);
  return { address: plain, port: port as number, family: isIPv4(plain) ? 'IPv4' : 'IPv6' };
}

function lineOf([source, destination]: Ends): string {
  if (typeof source === 'string' || typeof destination === 'string')
    throw new TypeError('source and destination cannot be paths in version 1: use version 2');
  const family = source.family === 'IPv4' ? 'TCP4' : 'TCP6';
  return `${family} ${source.address} ${destination.address} ${source.port} ${destination.port}`;
}

function encodeBinary(ends: Ends | undefined, tlvs: readonly ProxyTlv[]): Buffer {
  const [family, addresses] = ends ? addressesOf(ends) : [0, Buffer.alloc(0)];
  const block = Buffer.concat([addresses, ...tlvs.map(encodeTlv)]);
  if (block.length > MOST) throw new RangeError(`tlvs must have at most ${MOST} bytes with the addresses`);
  // LOCAL for a connection on the proxy's own account.
  const head = Buffer.of(ends ? 0x21 : 0x20, family, block.length >> 8, block.length & 255);
  return Buffer.concat([SIGNATURE, head, block]);
}

function addressesOf(ends: Ends): [number, Buffer] {
  const [source, destination] = ends;
  if (typeof source === 'string' || typeof destination === 'string') {
    const paths = Buffer.alloc(2 * PATH_LENGTH);
    for (const [index, path] of ends.entries()) paths.write(path as string, index * PATH_LENGTH);
    return [0x31, paths];
  }
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port);
  ports.writeUInt16BE(destination.port, 2);
  const addresses = [addressBytes(source.address), addressBytes(destination.address), ports];
  return [source.family === 'IPv4' ? 0x11 : 0x21, Buffer.concat(addresses)];
}

function encodeTlv(tlv: ProxyTlv, index: number): Buffer {
  const name = `proxyProtocol.tlvs[${index}]`;
  checkObject(name, tlv, 'an object { type, value }');
  checkInteger(`${name}.type`, tlv.type, 0, 255);
  const value = toBytes(tlv.value, `${name}.value`);
  if (value.length > MOST) throw new RangeError(`${name}.value must have at most ${MOST} bytes, not ${value.length}`);
  return Buffer.concat([Buffer.of(tlv.type, value.length >> 8, value.length & 255), value]);
}
