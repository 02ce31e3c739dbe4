// The numbers of the pcapng format, and the blocks that are written a few times per file. Packets have a file of their
// own: packet-writer.ts.
//
// A block is: type 4 │ length 4 │ body, padded to 4 │ length 4. All our numbers are little-endian.
//
// See https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/

/** The types of blocks. */
export const SECTION = 0x0a0d0d0a;
export const INTERFACE = 1;
const STATISTICS = 5;
export const PACKET = 6;

/** The first field of a section. Whoever reads it learns the byte order. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** The codes of options. The meaning of the others depends on the block. */
export const END_OF_OPTIONS = 0;
export const COMMENT = 1;
const USER_APPLICATION = 4;
const INTERFACE_NAME = 2;
export const TIME_RESOLUTION = 9;
const PACKETS_RECEIVED = 4;
const PACKETS_DROPPED = 5;

/** The types of links: what a packet begins with. */
export const ETHERNET = 1;
/** An IPv4 or IPv6 header. */
export const RAW_IP = 101;

/** Begins a file: one section, with one interface of raw IP packets. Its times are in microseconds. */
export function fileHeader(): Buffer {
  const application = option(USER_APPLICATION, Buffer.from('rxsock'));
  const section = block(SECTION, u32(BYTE_ORDER_MAGIC), u16(1), u16(0), Buffer.alloc(8, 0xff), application, u32(0));
  const name = option(INTERFACE_NAME, Buffer.from('rxsock'));
  const resolution = option(TIME_RESOLUTION, Buffer.from([6]));
  return Buffer.concat([section, block(INTERFACE, u16(RAW_IP), u16(0), u32(0), name, resolution, u32(0))]);
}

/** How many packets were written and left out, in the whole capture. */
export function statisticsBlock(time: number, received: number, dropped: number): Buffer {
  const counters = [option(PACKETS_RECEIVED, u64(received)), option(PACKETS_DROPPED, u64(dropped))];
  return block(STATISTICS, u32(0), u32(highHalf(time)), u32(time), ...counters, u32(0));
}

/** The upper 32 bits of an integer of up to 53 bits. */
export function highHalf(value: number): number {
  return Math.floor(value / 2 ** 32);
}

function block(type: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = u32(body.length + 12);
  return Buffer.concat([u32(type), length, body, length]);
}

function option(code: number, value: Buffer): Buffer {
  return Buffer.concat([u16(code), u16(value.length), pad(value)]);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function u64(value: number): Buffer {
  return Buffer.concat([u32(value), u32(highHalf(value))]);
}
