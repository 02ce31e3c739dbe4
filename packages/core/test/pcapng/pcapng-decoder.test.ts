// The decoder of pcapng files, which may come from anybody.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkProperty } from '../../../../tests/support/property.js';
import { FrameError, FrameTooLongError, TruncatedFrameError } from '../../src/base/errors.js';
import { parseTcp } from '../../src/pcapng/parse-packet.js';
import { PcapngDecoder } from '../../src/pcapng/pcapng-decoder.js';
import { decodeBlocks, memoryCapture, packetsOf } from './support.js';

/** A capture of one connection. */
async function capture(): Promise<Buffer> {
  const { connection, close } = memoryCapture();
  const recorder = connection();
  recorder.data('client', Buffer.from('hello'));
  recorder.note('server', 'a comment');
  const [file] = await close();
  return file!;
}

/** The same file as a machine with the other byte order writes it. */
function swapped(file: Buffer): Buffer {
  const out = Buffer.from(file);
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4);
    const type = file.readUInt32LE(at);
    const swap32 = (offset: number) => out.subarray(at + offset, at + offset + 4).swap32();
    const swap16 = (offset: number) => out.subarray(at + offset, at + offset + 2).swap16();
    for (const offset of [0, 4, length - 4]) swap32(offset);
    let options = 8;
    if (type === 0x0a0d0d0a) {
      swap32(8);
      for (const offset of [12, 14]) swap16(offset);
      options = 24;
    } else if (type === 1) {
      for (const offset of [8, 10]) swap16(offset);
      options = 16;
    } else if (type === 6) {
      for (const offset of [8, 12, 16, 20, 24]) swap32(offset);
      const caught = file.readUInt32LE(at + 20);
      options = 28 + caught + (-caught & 3);
    } else options = length;
    while (options + 4 < length) {
      const size = file.readUInt16LE(at + options + 2);
      for (const offset of [options, options + 2]) swap16(offset);
      options += 4 + size + (-size & 3);
    }
    at += length;
  }
  return out;
}

describe('the decoder of pcapng', () => {
  test('reads packets with their time, link and comments', async () => {
    const packets = packetsOf(await capture());
    expect(packets).toHaveLength(5);
    expect(packets[0]).toMatchObject({ linkType: 101, time: 1_700_000_000_001, comments: ['connection 0'] });
    expect(packets[4]).toMatchObject({ time: 1_700_000_000_005, comments: ['a comment'] });
    expect(parseTcp(packets[3]!)?.payload.toString()).toBe('hello');
  });

  test('reads both byte orders', async () => {
    const file = await capture();
    const other = swapped(file);
    expect(other.equals(file)).toBe(false);
    expect(packetsOf(other)).toEqual(packetsOf(file));
  });

  test('reads the next section with interfaces of its own', async () => {
    const file = await capture();
    const sections = Buffer.concat([file, swapped(file)]);
    expect(packetsOf(sections)).toEqual([...packetsOf(file), ...packetsOf(file)]);
  });

  test.each([
    ['an empty block', (file: Buffer) => file.writeUInt32LE(0, 4), /length of 0/],
    ['a length that is no multiple of four', (file: Buffer) => file.writeUInt32LE(61, 4), /length of 61/],
    [
      'two different lengths',
      (file: Buffer) => file.writeUInt32LE(0, file.readUInt32LE(4) - 4),
      /two different lengths/,
    ],
    ['no byte order', (file: Buffer) => file.writeUInt32LE(0, 8), /no byte order/],
    ['another version', (file: Buffer) => file.writeUInt16LE(2, 12), /version 2/],
    ['no section', (file: Buffer) => file.writeUInt32LE(6, 0), /not a pcapng file/],
    ['the older format', (file: Buffer) => file.writeUInt32LE(0xa1b2c3d4, 0), /editcap/],
    ['an interface that was not described', (file: Buffer) => file.writeUInt32LE(1, packetAt(file) + 8), /interface 1/],
    [
      'a packet longer than its block',
      (file: Buffer) => file.writeUInt32LE(0xffffffff, packetAt(file) + 20),
      /too short/,
    ],
  ])('refuses %s', async (_, spoil, message) => {
    const file = await capture();
    spoil(file);
    for (const chunks of [[file], [...file].map((byte) => Buffer.of(byte))]) {
      expect(() => decodeBlocks(...chunks)).toThrow(message);
      expect(() => decodeBlocks(...chunks)).toThrow(FrameError);
    }
  });

  test('refuses a block that is too long before it has arrived', async () => {
    const file = await capture();
    file.writeUInt32LE(2 ** 31, 4);
    const decoder = new PcapngDecoder();
    decoder.push(file.subarray(0, 12));
    expect(() => decoder.next()).toThrow(FrameTooLongError);
  });

  test('tells a file that is cut', async () => {
    const file = await capture();
    expect(() => decodeBlocks(file.subarray(0, -1))).toThrow(TruncatedFrameError);
  });

  test('meets nothing but bad frames in a spoiled file, and no packet that it cannot pass over', async () => {
    const file = await capture();
    await checkProperty(
      fc.property(fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), (edits) => {
        const spoiled = Buffer.from(file);
        for (const [at, byte] of edits) spoiled[at] = byte;
        try {
          for (const packet of packetsOf(spoiled)) parseTcp(packet);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Where the first packet is. */
function packetAt(file: Buffer): number {
  let at = 0;
  while (file.readUInt32LE(at) !== 6) at += file.readUInt32LE(at + 4);
  return at;
}
