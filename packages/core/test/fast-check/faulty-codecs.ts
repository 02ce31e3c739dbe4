// Codecs with the faults that other libraries have had, and what verifyCodec() must say about each.
import fc from 'fast-check';
import { FrameError } from '../../src/base/errors.js';
import type { VerifyCodecOptions } from '../../src/fast-check/index.js';
import type { Codec } from '../../src/framing/codec.js';
import { linesWith, SimpleDecoder, SimpleLines, SimpleShort, shortWith, tooLong } from './faulty-decoders.js';

export interface FaultyCodec {
  /** The fault, in a few words. */
  readonly fault: string;
  readonly law: string;
  /** What the story says after `these bytes:`. */
  readonly bytes: RegExp;
  readonly codec: Codec<never>;
  readonly options: VerifyCodecOptions<never>;
}

const words = fc.stringMatching(/^[a-z]*$/);
const texts = fc.string({ unit: 'grapheme' }).filter((text) => !/\n|\r$/.test(text));
const payloads = fc.uint8Array({ maxLength: 20 });

/** A row of the table. The type of the values is not the same in every row. */
function faulty<T>(
  fault: string,
  law: string,
  bytes: RegExp,
  codec: Codec<T>,
  values: fc.Arbitrary<T>,
  more: Omit<VerifyCodecOptions<T>, 'values'> = {},
): FaultyCodec {
  return { fault, law, bytes, codec: codec as Codec<never>, options: { values, ...more } as FaultyCodec['options'] };
}

class CrEndsLine extends SimpleLines {
  protected override findEnd(): number {
    const cr = this.bytes.indexOf(13);
    return cr >= 0 && this.bytes[cr + 1] !== 10 ? cr : super.findEnd();
  }
}

class TextPerChunk extends SimpleLines {
  override push(chunk: Uint8Array): void {
    super.push(Buffer.from(Buffer.from(chunk).toString()));
  }
}

class LimitOfChunk extends SimpleLines {
  protected override take(): string | undefined {
    if (this.bytes.length > 8) throw tooLong(8);
    return super.take();
  }
}

class LimitWithCR extends SimpleLines {
  protected override findEnd(): number {
    const end = super.findEnd();
    if (end < 0 ? this.bytes.length > 4 : end > 4 && this.bytes[4] !== 13) throw tooLong(4);
    return end;
  }
}

class ForgetsPartOfDelimiter extends SimpleLines {
  searched = 0;

  protected override findEnd(): number {
    const found = this.bytes.indexOf('\r\n', this.searched);
    this.searched = found < 0 ? this.bytes.length : 0;
    return found < 0 ? -1 : found + 1;
  }
}

class NoFallback extends SimpleLines {
  protected override findEnd(): number {
    let matched = 0;
    for (const [i, byte] of this.bytes.entries()) {
      matched = byte === 'aab'.charCodeAt(matched) ? matched + 1 : 0;
      if (matched === 3) return i;
    }
    return -1;
  }

  protected override lineOf(bytes: Buffer): string {
    return String(bytes.subarray(0, -2));
  }
}

class StripsMark extends SimpleLines {
  protected override lineOf(bytes: Buffer): string {
    return new TextDecoder().decode(bytes);
  }
}

class TakesAllAtOnce extends SimpleLines {
  readonly lines: string[] = [];

  override next(): string | undefined {
    for (let line = super.next(); line !== undefined; line = super.next()) this.lines.push(line);
    return this.lines.shift();
  }
}

class LastLineLate extends SimpleLines {
  asked = false;

  protected override take(): string | undefined {
    if (!this.ended || this.asked || this.findEnd() >= 0) return super.take();
    this.asked = true;
    return undefined;
  }
}

class LosesFramesBeforeBad extends SimpleShort {
  protected override take(): Uint8Array | undefined {
    for (let at = 0; at < this.bytes.length; at += 1 + this.bytes[at]!)
      if (this.bytes[at] === 0xff) throw new FrameError('No length');
    return super.take();
  }
}

class SkipsEmpty extends SimpleShort {
  protected override take(): Uint8Array | undefined {
    while (this.bytes[0] === 0) this.consume(1);
    return super.take();
  }
}

class SignedLength extends SimpleShort {
  protected override readLength(): number | undefined {
    if (this.bytes.length > 0 && this.bytes.readInt8() < 0) throw new FrameError('Negative');
    return super.readLength();
  }
}

class ViewOfChunk extends SimpleShort {
  override push(chunk: Uint8Array): void {
    this.bytes = this.bytes.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : this.bytes;
    if (this.bytes.buffer !== chunk.buffer || this.bytes.byteOffset !== chunk.byteOffset) super.push(chunk);
  }

  protected override consume(length: number): Buffer {
    const taken = this.bytes.subarray(0, length);
    this.bytes = this.bytes.subarray(length);
    return taken;
  }
}

class KeepsChunk extends ViewOfChunk {
  protected override consume(length: number): Buffer {
    return Buffer.from(super.consume(length));
  }
}

class OneBufferForAllFrames extends SimpleShort {
  readonly frame = Buffer.alloc(256);

  protected override take(): Uint8Array | undefined {
    const frame = super.take();
    return frame && this.frame.subarray(0, Buffer.from(frame).copy(this.frame));
  }
}

class RestConsumes extends SimpleShort {
  override rest(): Uint8Array {
    return this.consume(this.bytes.length);
  }
}

class RestIsOwnMemory extends SimpleShort {
  override rest(): Uint8Array {
    return this.bytes;
  }
}

class NewErrorEachTime extends SimpleShort {
  override next(): Uint8Array | undefined {
    return this.take();
  }
}

class NeverConsumesEmpty extends SimpleShort {
  protected override consume(length: number): Buffer {
    return length === 1 ? Buffer.of(0) : super.consume(length);
  }
}

class CountsChunks extends SimpleShort {
  chunks = 0;

  override push(chunk: Uint8Array): void {
    this.chunks++;
    super.push(chunk);
  }

  protected override readLength(): number | undefined {
    if (this.bytes[0] === 0xff) throw new FrameError(`No length in chunk ${this.chunks}`);
    return super.readLength();
  }
}

/** Four bytes of length. */
class LongFrames extends SimpleDecoder<Uint8Array> {
  protected override take(): Uint8Array | undefined {
    const length = this.bytes.length < 4 ? Number.POSITIVE_INFINITY : this.readLength();
    if (this.bytes.length >= length + 4) return this.consume(length + 4).subarray(4);
    if (this.ended && this.bytes.length > 0) throw new FrameError('Not whole');
    return undefined;
  }

  protected readLength(): number {
    return this.bytes.readUInt32BE();
  }
}

class OtherByteOrder extends LongFrames {
  protected override readLength(): number {
    return this.bytes.readUInt32LE();
  }
}

class FieldInOneChunk extends LongFrames {
  isCut = false;

  override push(chunk: Uint8Array): void {
    super.push(chunk);
    if (this.bytes.length < 4 && this.bytes.length > 0) this.isCut = true;
  }

  protected override readLength(): number {
    return this.isCut ? this.bytes.readUInt32LE() : super.readLength();
  }
}

/** Counts the brackets from the first byte, again for every chunk, as parsers without a state do. */
class CountsBracketsAgain extends SimpleLines {
  protected override findEnd(): number {
    let depth = 0;
    for (let i = 0; i < this.bytes.length; i++) {
      if (this.bytes[i] === 91) depth++;
      else if (this.bytes[i] === 93 && depth > 0) depth--;
      else if (this.bytes[i] === 10 && depth === 0) return i;
    }
    return -1;
  }

  // The copy for every chunk is not the fault that is planted here.
  override push(chunk: Uint8Array): void {
    const { buffer, byteOffset, length } = this.bytes;
    const memory = new Uint8Array(buffer, byteOffset);
    if (memory.length < length + chunk.length) {
      const grown = Buffer.allocUnsafeSlow(2 * (length + chunk.length));
      grown.set(this.bytes);
      this.bytes = grown.subarray(0, length);
      this.push(chunk);
    } else {
      memory.set(chunk, length);
      this.bytes = Buffer.from(buffer, byteOffset, length + chunk.length);
    }
  }
}

/** Keeps its place in a frame, but moves what is left of a chunk to the front after every frame. */
class CopiesWhatIsLeft extends SimpleShort {
  protected override consume(length: number): Buffer {
    const taken = super.consume(length);
    this.bytes = Buffer.from(this.bytes);
    return taken;
  }
}

const longWith = (Class: new () => LongFrames): Codec<Uint8Array> => ({
  decoder: () => new Class(),
  encode: (value) => Buffer.concat([Buffer.of(0, 0, value.length >> 8, value.length & 0xff), value]),
});

const marks = fc.string({ unit: fc.constantFrom('a', '\ufeff', 'é'), maxLength: 5 });
const fours = fc.constantFrom('abcd', 'abc', '');
const as = fc.stringMatching(/^[ac]*$/);
const long = fc.uint8Array({ minLength: 100, maxLength: 200 });
const nothing = fc.constant(new Uint8Array());

const text: readonly FaultyCodec[] = [
  faulty('a CRLF that is cut in two ends two lines', 'chunking', /0d\|0a /, linesWith(CrEndsLine, '\r\n'), words),
  faulty(
    'a character that is cut in two becomes two',
    'chunking',
    /([c-f].|[c-f]. [89ab].|f. [89ab]. [89ab].)\|[89ab]. /,
    linesWith(TextPerChunk),
    texts,
    { inputs: nothing },
  ),
  faulty('the limit of a line is applied to a chunk', 'round trip', /0a "/, linesWith(LimitOfChunk), words, {
    inputs: nothing,
  }),
  faulty('a CR at the cut counts for the limit', 'chunking', /^(.. ){4}0d\|0a /, linesWith(LimitWithCR, '\r\n'), fours),
  faulty('half a delimiter is forgotten', 'chunking', /0d\|0a /, linesWith(ForgetsPartOfDelimiter, '\r\n'), words),
  faulty(
    'a delimiter is missed after a part of itself',
    'round trip',
    /^61 61 61 62 "/,
    linesWith(NoFallback, 'aab'),
    as,
  ),
  faulty('a byte order mark is stripped from every line', 'round trip', /^ef bb bf 0a "/, linesWith(StripsMark), marks),
  faulty('all lines of a chunk leave rest() at once', 'rest', /^0a 0a /, linesWith(TakesAllAtOnce), words),
  faulty('the last line comes after the end', 'one end', /^.. "/, linesWith(LastLineLate), words),
  faulty('the limit is not applied at all', 'memory', /^(.. ){5}../, linesWith(SimpleLines), words, { limit: 5 }),
];

const binary: readonly FaultyCodec[] = [
  faulty('frames before a bad one are lost', 'order', /^00 ff "/, shortWith(LosesFramesBeforeBad), payloads, {
    inputs: fc.constantFrom(Uint8Array.of(0xff), Uint8Array.of()),
  }),
  faulty('empty frames are skipped', 'round trip', /^00 "/, shortWith(SkipsEmpty), payloads),
  faulty('a length is read as a signed number', 'round trip', /^[89a-f]. /, shortWith(SignedLength), long),
  faulty('a frame is a view of a chunk', 'memory', /^00 "/, shortWith(ViewOfChunk), payloads),
  faulty('a chunk is used after it was given back', 'memory', /^.. "/, shortWith(KeepsChunk), payloads),
  faulty('all frames share one buffer', 'round trip', /^01 .. 01 .. "/, shortWith(OneBufferForAllFrames), payloads, {
    inputs: nothing,
  }),
  faulty('rest() consumes', 'rest', /^..[ |]/, shortWith(RestConsumes), payloads),
  faulty('rest() is the memory of the decoder', 'rest', /^.. /, shortWith(RestIsOwnMemory), payloads),
  faulty(
    'each call throws another error',
    'stable error',
    /^(ff|0[1-9a-f]|[1-9a-e].) "/,
    shortWith(NewErrorEachTime),
    payloads,
  ),
  faulty('an empty frame is returned for ever', 'progress', /^00 "/, shortWith(NeverConsumesEmpty), payloads),
  faulty('an error tells the number of the chunk', 'chunking', /^00\|ff "/, shortWith(CountsChunks), payloads, {
    inputs: fc.constant(Uint8Array.of(0, 0xff)),
  }),
  faulty(
    'the two sides order bytes differently',
    'round trip',
    /^00 00 00 01 00 "/,
    longWith(OtherByteOrder),
    payloads,
  ),
  faulty(
    'a length that is cut is read backwards',
    'chunking',
    /^00[ |]00[ |]00[ |]01 00 "/,
    longWith(FieldInOneChunk),
    payloads,
  ),
];

const again = /again and again$/;
const slow: readonly FaultyCodec[] = [
  faulty('every chunk copies all bytes before it', 'linear time', again, longWith(LongFrames), payloads),
  faulty('every chunk is searched from the first byte', 'linear time', again, linesWith(SimpleLines), words),
  faulty('a loop begins again at every chunk', 'linear time', again, linesWith(CountsBracketsAgain), words),
  faulty('every frame copies what is left of the chunk', 'linear time', again, shortWith(CopiesWhatIsLeft), payloads),
];

export const faultyCodecs: readonly FaultyCodec[] = [...text, ...binary, ...slow];
