// Writes packets of one direction of a flow: a pcapng block with an IP packet in it.
//
//   block header 28 │ IPv4 20 or IPv6 40 │ TCP 20 or UDP 8 │ payload, padded to 4 │ comments │ length 4
//
// The headers of all packets of a direction are nearly the same. They are made once, and each packet changes some fields.
import { addressBytes, plainAddress } from '../base/address-bytes.js';
import type { InternetEndpoint } from '../base/endpoint.js';
import { checksumOf, sumOfBytes, sumOfWords } from './checksum.js';
import { COMMENT, highHalf, PACKET } from './format.js';

const BLOCK_HEADER = 28;
const LENGTHS = { tcp: 20, udp: 8 };
const PROTOCOLS = { tcp: 6, udp: 17 };
const HOP_LIMIT = 64;
const LARGEST_WINDOW = 65_535;

/** Memory for packets. Every packet begins at a multiple of four. */
export class PacketMemory {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  /** How many bytes are written. */
  used = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.words = new Uint32Array(this.bytes.buffer, 0, size / 4);
  }
}

/** One packet. */
export interface Packet {
  /** In microseconds since the epoch. */
  readonly time: number;
  readonly payload: Uint8Array;
  /** As UTF-8; `undefined` for none. */
  readonly comment?: Buffer | undefined;
  /** TCP: the flags, and the numbers of the first byte and of the next byte of the other side, modulo 2^32. */
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledged: number;
}

export class PacketWriter {
  /** The headers, with zeros where packets differ. */
  readonly #headers: Buffer;
  readonly #isIPv6: boolean;
  readonly #isTcp: boolean;
  /** Where the header of TCP or UDP begins. */
  readonly #transportAt: number;
  /** The sums of what is the same in all packets: of the IPv4 header, and of what the checksum of TCP or UDP covers. */
  readonly #headerSum: number;
  readonly #transportSum: number;

  constructor(protocol: 'tcp' | 'udp', from: InternetEndpoint, to: InternetEndpoint) {
    const addresses = [from, to].map(({ address }) => addressBytes(plainAddress(address)));
    const [source = Buffer.alloc(0), destination = source] =
      addresses[0]?.length === addresses[1]?.length ? addresses : addresses.map(mapped);
    this.#isIPv6 = source.length === 16;
    this.#isTcp = protocol === 'tcp';
    this.#transportAt = BLOCK_HEADER + (this.#isIPv6 ? 40 : 20);
    const headers = Buffer.alloc(this.#transportAt + LENGTHS[protocol]);
    headers.writeUInt32LE(PACKET);
    if (this.#isIPv6) {
      headers[BLOCK_HEADER] = 0x60;
      headers[BLOCK_HEADER + 6] = PROTOCOLS[protocol];
      headers[BLOCK_HEADER + 7] = HOP_LIMIT;
    } else {
      headers[BLOCK_HEADER] = 0x45;
      headers[BLOCK_HEADER + 8] = HOP_LIMIT;
      headers[BLOCK_HEADER + 9] = PROTOCOLS[protocol];
    }
    Buffer.concat([source, destination]).copy(headers, this.#transportAt - 2 * source.length);
    headers.writeUInt16BE(from.port, this.#transportAt);
    headers.writeUInt16BE(to.port, this.#transportAt + 2);
    if (this.#isTcp) {
      headers[this.#transportAt + 12] = (LENGTHS.tcp / 4) << 4;
      headers.writeUInt16BE(LARGEST_WINDOW, this.#transportAt + 14);
    }
    this.#headers = headers;
    this.#headerSum = sumOfBytes(headers.subarray(BLOCK_HEADER, this.#transportAt));
    this.#transportSum =
      sumOfBytes(headers.subarray(this.#transportAt)) +
      sumOfBytes(Buffer.concat([source, destination])) +
      PROTOCOLS[protocol];
  }

  /** How many bytes the block of a packet has. */
  lengthOf(payloadLength: number, comment?: Buffer): number {
    return this.#headers.length + padded(payloadLength) + (comment ? padded(comment.length) + 8 : 0) + 4;
  }

  /** Writes a packet into memory that has room for it. */
  write(memory: PacketMemory, { time, payload, comment, flags, sequence, acknowledged }: Packet): void {
    const { bytes, words, used: at } = memory;
    const payloadAt = at + this.#headers.length;
    const payloadEnd = payloadAt + payload.length;
    const optionsAt = at + this.#headers.length + padded(payload.length);
    const transportAt = at + this.#transportAt;
    const ipAt = at + BLOCK_HEADER;
    const length = this.lengthOf(payload.length, comment);
    const packetLength = payloadEnd - ipAt;
    const transportLength = payloadEnd - transportAt;

    bytes.set(this.#headers, at);
    bytes.set(payload, payloadAt);
    if (optionsAt > payloadEnd) bytes.fill(0, payloadEnd, optionsAt);
    bytes.writeUInt32LE(length, at + 4);
    bytes.writeUInt32LE(highHalf(time), at + 12);
    bytes.writeUInt32LE(time >>> 0, at + 16);
    bytes.writeUInt32LE(packetLength, at + 20);
    bytes.writeUInt32LE(packetLength, at + 24);
    if (this.#isIPv6) bytes.writeUInt16BE(transportLength, ipAt + 4);
    else {
      bytes.writeUInt16BE(packetLength, ipAt + 2);
      bytes.writeUInt16BE(checksumOf(this.#headerSum + packetLength), ipAt + 10);
    }
    let sum = this.#transportSum + transportLength + sumOfWords(words, payloadAt / 4, optionsAt / 4);
    if (this.#isTcp) {
      bytes.writeUInt32BE(sequence, transportAt + 4);
      bytes.writeUInt32BE(acknowledged, transportAt + 8);
      bytes[transportAt + 13] = flags;
      sum += (sequence >>> 16) + (sequence & 0xffff) + (acknowledged >>> 16) + (acknowledged & 0xffff) + flags;
      bytes.writeUInt16BE(checksumOf(sum), transportAt + 16);
    } else {
      bytes.writeUInt16BE(transportLength, transportAt + 4);
      // Of UDP, 0 would mean that there is no checksum.
      bytes.writeUInt16BE(checksumOf(sum + transportLength) || 0xffff, transportAt + 6);
    }
    if (comment) writeComment(bytes, optionsAt, comment);
    bytes.writeUInt32LE(length, at + length - 4);
    memory.used = at + length;
  }
}

function writeComment(bytes: Buffer, at: number, comment: Buffer): void {
  bytes.writeUInt16LE(COMMENT, at);
  bytes.writeUInt16LE(comment.length, at + 2);
  bytes.set(comment, at + 4);
  // The padding, and the end of the options.
  bytes.fill(0, at + 4 + comment.length, at + 4 + padded(comment.length) + 4);
}

function padded(length: number): number {
  return length + (-length & 3);
}

/** An IPv4 address as IPv6 knows it. */
function mapped(address: Buffer): Buffer {
  return address.length === 16 ? address : Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), address]);
}
