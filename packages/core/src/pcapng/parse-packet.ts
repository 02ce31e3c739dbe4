// Parses an IP packet with TCP in it. What is not one, or is cut, is not an error: a capture may hold anything.
import { formatAddressBytes } from '../base/address-bytes.js';
import { type InternetEndpoint, internetEndpoint } from '../base/endpoint.js';
import { ETHERNET, RAW_IP } from './format.js';
import type { CapturedPacket } from './pcapng-decoder.js';

const TCP = 6;
/** The links of raw IP that tell the version. Their packets begin with an IP header too. */
const RAW_LINKS = [RAW_IP, 228, 229];
const IP_ETHER_TYPES = [0x0800, 0x86dd];

/** A segment of TCP. */
export interface TcpSegment {
  readonly source: InternetEndpoint;
  readonly destination: InternetEndpoint;
  readonly flags: number;
  /** The number of the first byte, modulo 2^32. */
  readonly sequence: number;
  readonly payload: Buffer;
}

/** An IP packet without its header. */
interface IpPacket {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly payload: Buffer;
}

/** Returns the segment of TCP in a packet; `undefined` if there is none. */
export function parseTcp(packet: CapturedPacket): TcpSegment | undefined {
  const bytes = skipLink(packet);
  const ip = bytes && (parseIPv4(bytes) ?? parseIPv6(bytes));
  if (!ip || ip.protocol !== TCP) return undefined;
  const { payload } = ip;
  const headerLength = ((payload[12] ?? 0) >> 4) * 4;
  if (headerLength < 20 || payload.length < headerLength) return undefined;
  return {
    source: internetEndpoint(ip.source, payload.readUInt16BE(0)) as InternetEndpoint,
    destination: internetEndpoint(ip.destination, payload.readUInt16BE(2)) as InternetEndpoint,
    flags: payload[13] as number,
    sequence: payload.readUInt32BE(4),
    payload: payload.subarray(headerLength),
  };
}

function skipLink({ linkType, data }: CapturedPacket): Buffer | undefined {
  if (RAW_LINKS.includes(linkType)) return data;
  if (linkType !== ETHERNET || data.length < 14) return undefined;
  return IP_ETHER_TYPES.includes(data.readUInt16BE(12)) ? data.subarray(14) : undefined;
}

function parseIPv4(bytes: Buffer): IpPacket | undefined {
  const [first = 0] = bytes;
  const headerLength = (first & 15) * 4;
  if (first >> 4 !== 4 || headerLength < 20 || bytes.length < headerLength) return undefined;
  // A fragment: its offset, or that more follow.
  if (bytes.readUInt16BE(6) & 0x3fff) return undefined;
  return {
    source: formatAddressBytes(bytes.subarray(12, 16)),
    destination: formatAddressBytes(bytes.subarray(16, 20)),
    protocol: bytes[9] as number,
    payload: bytes.subarray(headerLength, lengthOr(bytes.readUInt16BE(2), bytes)),
  };
}

function parseIPv6(bytes: Buffer): IpPacket | undefined {
  if ((bytes[0] ?? 0) >> 4 !== 6 || bytes.length < 40) return undefined;
  const length = bytes.readUInt16BE(4);
  return {
    source: formatAddressBytes(bytes.subarray(8, 24)),
    destination: formatAddressBytes(bytes.subarray(24, 40)),
    protocol: bytes[6] as number,
    payload: bytes.subarray(40, lengthOr(length && 40 + length, bytes)),
  };
}

/** A system that leaves the cutting to the network card may show a length of 0. Ethernet pads short packets. */
function lengthOr(length: number, bytes: Buffer): number {
  return length === 0 ? bytes.length : length;
}
