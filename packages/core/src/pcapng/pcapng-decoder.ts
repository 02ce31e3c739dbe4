// Decodes the blocks of a pcapng file. The file may come from anybody, so that every length in it is checked.
import { FrameError, FrameTooLongError } from '../base/errors.js';
import { FrameDecoder } from '../framing/frame-decoder.js';
import { BYTE_ORDER_MAGIC, COMMENT, END_OF_OPTIONS, INTERFACE, PACKET, SECTION, TIME_RESOLUTION } from './format.js';

/** The longest block, in bytes. Wireshark has the same limit. */
const MAX_BLOCK = 16 * 1024 * 1024;
/** The type, and the length twice. */
const FRAME = 12;
/** What comes before the options of a block. */
const SECTION_HEADER = 16;
const INTERFACE_HEADER = 8;
const PACKET_HEADER = 20;
/** What the older format, pcap, begins with: in either byte order, with microseconds or nanoseconds. */
const PCAP_MAGICS = [0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1];

/** A packet of a capture. */
export interface CapturedPacket {
  readonly type: 'packet';
  /** The type of the link: what the packet begins with. */
  readonly linkType: number;
  /** In milliseconds since the epoch. */
  readonly time: number;
  readonly data: Buffer;
  readonly comments: readonly string[];
}

/** A block of a file. */
export type PcapngBlock = CapturedPacket | { readonly type: 'section' | 'interface' | 'other' };

/** What packets of an interface need. */
interface Interface {
  readonly linkType: number;
  /** How many units of its clock are a millisecond. */
  readonly unitsPerMillisecond: number;
}

export class PcapngDecoder extends FrameDecoder<PcapngBlock> {
  /** The byte order of the section. `undefined` before the first one. */
  #littleEndian: boolean | undefined;
  #interfaces: Interface[] = [];

  protected override decodeFrame(): PcapngBlock | undefined {
    const { queue } = this;
    if (!queue.gather(FRAME)) return this.needMoreBytes('block of the capture');
    const header = viewOf(queue.buffer, queue.offset, FRAME);
    const isSection = header.getUint32(0, true) === SECTION;
    if (isSection) this.#beginSection(header);
    else if (this.#littleEndian === undefined) throw notPcapng(header);
    const littleEndian = this.#littleEndian as boolean;
    const length = header.getUint32(4, littleEndian);
    if (length < FRAME || length % 4 !== 0) throw new FrameError(`A block of the capture has a length of ${length}`);
    if (length > MAX_BLOCK)
      throw new FrameTooLongError(`A block of the capture is longer than ${MAX_BLOCK} bytes`, { limit: MAX_BLOCK });
    if (!queue.gather(length)) return this.needMoreBytes('block of the capture');
    const whole = viewOf(queue.buffer, queue.offset, length);
    if (whole.getUint32(length - 4, littleEndian) !== length)
      throw new FrameError('A block of the capture has two different lengths');
    const body = new Body(queue.buffer.subarray(queue.offset + 8, queue.offset + length - 4), littleEndian);
    const block = this.#parse(whole.getUint32(0, littleEndian), body);
    queue.dropFrame(length);
    return block;
  }

  #beginSection(header: DataView): void {
    const littleEndian = header.getUint32(8, true) === BYTE_ORDER_MAGIC;
    if (!littleEndian && header.getUint32(8) !== BYTE_ORDER_MAGIC)
      throw new FrameError('A section of the capture has no byte order');
    this.#littleEndian = littleEndian;
    this.#interfaces = [];
  }

  #parse(type: number, body: Body): PcapngBlock {
    if (type === SECTION) return parseSection(body);
    if (type === INTERFACE) {
      this.#interfaces.push(parseInterface(body));
      return { type: 'interface' };
    }
    return type === PACKET ? this.#parsePacket(body) : { type: 'other' };
  }

  #parsePacket(body: Body): CapturedPacket {
    body.expect(PACKET_HEADER, 'packet');
    const index = body.u32(0);
    const from = this.#interfaces[index];
    if (!from) throw new FrameError(`A packet of the capture names the interface ${index}, which was not described`);
    const length = body.u32(12);
    body.expect(PACKET_HEADER + length, 'packet');
    const comments: string[] = [];
    body.eachOption(PACKET_HEADER + length + (-length & 3), (code, value) => {
      if (code === COMMENT) comments.push(value.toString());
    });
    return {
      type: 'packet',
      linkType: from.linkType,
      time: (body.u32(4) * 2 ** 32 + body.u32(8)) / from.unitsPerMillisecond,
      // A copy: the memory of the chunk belongs to somebody else.
      data: Buffer.from(body.bytes.subarray(PACKET_HEADER, PACKET_HEADER + length)),
      comments,
    };
  }
}

/** The body of a block. */
class Body {
  readonly bytes: Buffer;
  readonly #view: DataView;
  readonly #littleEndian: boolean;

  constructor(bytes: Buffer, littleEndian: boolean) {
    this.bytes = bytes;
    this.#view = viewOf(bytes, 0, bytes.length);
    this.#littleEndian = littleEndian;
  }

  expect(length: number, name: string): void {
    if (this.bytes.length < length) throw new FrameError(`A block of the capture is too short for its ${name}`);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, this.#littleEndian);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, this.#littleEndian);
  }

  eachOption(start: number, visit: (code: number, value: Buffer) => void): void {
    for (let at = start; at + 4 <= this.bytes.length; ) {
      const code = this.u16(at);
      if (code === END_OF_OPTIONS) return;
      const length = this.u16(at + 2);
      this.expect(at + 4 + length, 'options');
      visit(code, this.bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length + (-length & 3);
    }
  }
}

function parseSection(body: Body): PcapngBlock {
  body.expect(SECTION_HEADER, 'section');
  const version = body.u16(4);
  if (version !== 1) throw new FrameError(`The capture has the version ${version} of the format, not 1`);
  return { type: 'section' };
}

function parseInterface(body: Body): Interface {
  body.expect(INTERFACE_HEADER, 'interface');
  let unitsPerSecond = 1e6;
  body.eachOption(INTERFACE_HEADER, (code, value) => {
    const resolution = value[0];
    if (code !== TIME_RESOLUTION || resolution === undefined) return;
    unitsPerSecond = resolution & 128 ? 2 ** (resolution & 127) : 10 ** resolution;
  });
  return { linkType: body.u16(0), unitsPerMillisecond: unitsPerSecond / 1000 };
}

function notPcapng(header: DataView): FrameError {
  const isPcap = PCAP_MAGICS.includes(header.getUint32(0));
  return new FrameError(
    isPcap
      ? 'This is a pcap file: convert it with "editcap -F pcapng"'
      : 'This is not a pcapng file: it does not begin with a section',
  );
}

function viewOf(bytes: Buffer, at: number, length: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + at, length);
}
