// Parses PROXY headers of both versions. What is not exactly a header is refused: a client could have sent it.
import { isIPv4, isIPv6 } from 'node:net';
import { type Endpoint, internetEndpoint } from '../base/endpoint.js';
import { parseBinaryHeader, SIGNATURE } from './parse-binary.js';
import type { ParsedHeader, ProxyHeader } from './proxied.js';

const LINE_START = Buffer.from('PROXY ');
/** Of a line with its CRLF, in bytes. */
const LONGEST_LINE = 107;
const PORT = /^(0|[1-9]\d{0,4})$/;

/**
 * Parses the header at the start of `bytes`.
 * @throws Error if no header begins like this.
 */
export function parseProxyHeader(bytes: Buffer): ParsedHeader {
  if (startsLike(bytes, LINE_START)) return parseLine(bytes);
  if (startsLike(bytes, SIGNATURE)) return parseBinaryHeader(bytes);
  throw new Error('it does not begin with a PROXY header');
}

/** Whether `bytes` begins with `start`, as far as it goes. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function parseLine(bytes: Buffer): ParsedHeader {
  const end = bytes.subarray(0, LONGEST_LINE).indexOf('\r\n');
  if (end >= 0) return { header: headerOf(bytes.toString('latin1', 0, end)), length: end + 2 };
  if (bytes.length >= LONGEST_LINE) throw new Error(`its PROXY line is longer than ${LONGEST_LINE} bytes`);
  return { atLeast: bytes.length + 1 };
}

function headerOf(line: string): ProxyHeader {
  const [, family, source = '', destination = '', sourcePort, destinationPort, ...more] = line.split(' ');
  const unknown = { version: 1, source: undefined, destination: undefined, tlvs: [] } as const;
  // Whatever follows is to be ignored.
  if (family === 'UNKNOWN') return unknown;
  const isAddress = (address: string) =>
    (family === 'TCP4' && isIPv4(address)) || (family === 'TCP6' && isPlainIPv6(address));
  const from = isAddress(source) && endpointOf(source, sourcePort);
  const to = isAddress(destination) && endpointOf(destination, destinationPort);
  if (!from || !to || more.length > 0) throw new Error(`its PROXY line is not valid: ${JSON.stringify(line)}`);
  return { ...unknown, source: from, destination: to };
}

/** Node also accepts zones, as in `fe80::1%eth0`. */
function isPlainIPv6(address: string): boolean {
  return isIPv6(address) && !address.includes('%');
}

function endpointOf(address: string, port = ''): Endpoint | undefined {
  return PORT.test(port) && Number(port) <= 65_535 ? internetEndpoint(address, Number(port)) : undefined;
}
