// Parses PROXY headers of version 2. After 16 bytes it is clear how long the header is.
//
//   signature 12 │ version 4 bits, command 4 bits │ family 1 │ length 2 │ addresses │ fields: type 1, length 2, value
import { formatAddressBytes } from '../base/address-bytes.js';
import { type Endpoint, internetEndpoint } from '../base/endpoint.js';
import type { ParsedHeader, ProxyHeader, ProxyTlv } from './proxied.js';

export const SIGNATURE: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
const START = SIGNATURE.length + 4;
/** The paths of UNIX sockets have a fixed length. */
export const PATH_LENGTH = 108;

/** The families of streams: how long the addresses are, without ports, and how one is read. */
const FAMILIES: Readonly<Record<number, { readonly length: number; read(bytes: Buffer): string }>> = {
  17: { length: 4, read: formatAddressBytes },
  33: { length: 16, read: formatAddressBytes },
  49: { length: PATH_LENGTH, read: formatPath },
};

export function parseBinaryHeader(bytes: Buffer): ParsedHeader {
  if (bytes.length < START) return { atLeast: START };
  const length = START + bytes.readUInt16BE(START - 2);
  const [versionAndCommand = 0, family = 0] = bytes.subarray(SIGNATURE.length);
  const version = versionAndCommand >> 4;
  if (version !== 2) throw new Error(`its PROXY header has the version ${version}, not 2`);
  const command = versionAndCommand & 15;
  if (command > 1) throw new Error(`its PROXY header has the command ${command}, which is neither LOCAL nor PROXY`);
  if (bytes.length < length) return { atLeast: length };
  // LOCAL, or a family that the proxy cannot name. Whatever follows is to be ignored.
  if (command === 0 || family === 0) {
    return { header: { version: 2, source: undefined, destination: undefined, tlvs: [] }, length };
  }
  return { header: headerOf(family, bytes.subarray(START, length)), length };
}

function headerOf(family: number, block: Buffer): ProxyHeader {
  const format = FAMILIES[family];
  if (!format) throw new Error(`its PROXY header has the family 0x${family.toString(16)}, which is none of streams`);
  const isPath = format.length === PATH_LENGTH;
  const length = 2 * (format.length + (isPath ? 0 : 2));
  if (block.length < length) throw new Error('its PROXY header is too short for its addresses');
  const endpointAt = (index: 0 | 1): Endpoint | undefined => {
    const address = format.read(block.subarray(index * format.length, (index + 1) * format.length));
    return isPath ? { path: address } : internetEndpoint(address, block.readUInt16BE(2 * format.length + 2 * index));
  };
  return { version: 2, source: endpointAt(0), destination: endpointAt(1), tlvs: tlvsOf(block.subarray(length)) };
}

/** A path ends at the first NUL. Before an abstract name there is one more. Without a name, all bytes are NUL. */
function formatPath(bytes: Buffer): string {
  const end = bytes.indexOf(0, 1);
  const path = bytes.toString('utf8', 0, end < 0 ? undefined : end);
  return path === '\0' ? '' : path;
}

function tlvsOf(bytes: Buffer): ProxyTlv[] {
  const tlvs: ProxyTlv[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 3 + (at + 3 <= bytes.length ? bytes.readUInt16BE(at + 1) : 0);
    if (end > bytes.length) throw new Error('its PROXY header ends inside a field');
    // A copy: the chunk that it came in is kept by nobody.
    tlvs.push({ type: bytes.readUInt8(at), value: Buffer.from(bytes.subarray(at + 3, end)) });
    at = end;
  }
  return tlvs;
}
