// PROXY headers of version 2, byte for byte.

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** Version and command, family, and what follows. The length is that of the rest, unless it is given. */
export function binaryHeader(command: number, family: number, block: Buffer = Buffer.alloc(0), length = block.length) {
  return Buffer.concat([SIGNATURE, Buffer.of(command, family, length >> 8, length & 255), block]);
}

/** 192.0.2.7:4660 to 192.0.2.1:80. */
export const IPV4_ENDS = Buffer.from('c0000207c000020112340050', 'hex');
