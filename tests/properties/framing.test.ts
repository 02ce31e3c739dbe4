// The laws of framing for every codec of this library, with random options, bytes and chunks: checked against simple
// models, and with verifyCodec as a user would call it.
import {
  type Chunk,
  type Codec,
  delimitedCodec,
  fixedLengthCodec,
  jsonLinesCodec,
  lengthPrefixedCodec,
  linesCodec,
  mapCodec,
  netstringsCodec,
} from '@rxsock/core';
import { chunkings, delimiterRichBytes, verifyCodec } from '@rxsock/core/fast-check';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkProperty, propertyParameters } from '../support/property.js';
import * as model from './framing-models.js';

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Decodes as documented until `take` frames have come, and compares everything visible with the model. */
function compare<T>(
  codec: Codec<T>,
  chunks: readonly Uint8Array[],
  expected: model.Expected,
  frameOf: (payload: string) => T,
  take: number,
): void {
  const input = latin1(Buffer.concat(chunks));
  const decoder = codec.decoder();
  const frames: T[] = [];
  let pushed = 0;
  let error: unknown;
  const pull = () => {
    while (frames.length < take) {
      const frame = decoder.next();
      if (frame === undefined) return;
      frames.push(frame);
    }
  };
  try {
    for (const chunk of chunks) {
      if (frames.length >= take) break;
      pushed++;
      decoder.push(chunk);
      pull();
    }
    if (frames.length < take) decoder.end();
    pull();
  } catch (thrown) {
    error = thrown;
  }
  const left = latin1(Buffer.concat([decoder.rest(), ...chunks.slice(pushed)]));
  expect(frames).toEqual(expected.frames.slice(0, take).map(({ payload }) => frameOf(payload)));
  if (take <= expected.frames.length) {
    expect(error).toBeUndefined();
    expect(left).toBe(input.slice(take === 0 ? 0 : expected.frames[take - 1]!.end));
  } else {
    expect(error === undefined ? undefined : { ...(error as Error), name: (error as Error).name }).toEqual(
      expected.error && expect.objectContaining(expected.error),
    );
    expect(left).toBe(input.slice(expected.left));
  }
}

/** An input cut into chunks, and how many of its frames to take. */
const cases = (inputs: fc.Arbitrary<Uint8Array>) =>
  inputs.chain((input) => fc.record({ chunks: chunkings(input), take: fc.oneof(fc.constant(1e9), fc.nat(12)) }));

const maxLength = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(64), fc.integer({ min: 1, max: 70_000 }));
const trailing = fc.constantFrom('emit', 'drop', 'error');
const oversize = fc.constantFrom('error', 'discard');
/** Long enough for several runs of lines, and for lines that are longer than a run. */
const long = (bytes: fc.Arbitrary<Uint8Array>) =>
  fc.oneof(
    { weight: 6, arbitrary: bytes },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(bytes, fc.constantFrom(1, 3, 90), fc.constantFrom(0, 5, 9000)), { maxLength: 5 })
        .map(
          (parts) =>
            new Uint8Array(
              Buffer.concat(parts.flatMap(([b, n, pad]) => [...Array(n).fill(b), Buffer.alloc(pad, 'é')])),
            ),
        ),
    },
  );

describe('the decoders match the models', () => {
  test('lines', () => {
    const options = fc.record({
      delimiter: fc.constantFrom('\n', '\r\n'),
      maxLength,
      trailing,
      oversize,
      encoding: fc.constantFrom('utf8', 'latin1'),
    });
    checkProperty(
      fc.property(options, cases(long(delimiterRichBytes(['\n', '\r\n', '\r']))), (o, { chunks, take }) => {
        const expected = model.delimited(latin1(Buffer.concat(chunks)), { ...o, stripCR: o.delimiter === '\n' });
        // Each line on its own, and with a decoder that is not Node's: decoding lines in runs must make no difference.
        const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
        const decode = (line: string) => (o.encoding === 'utf8' ? utf8.decode(Buffer.from(line, 'latin1')) : line);
        compare(linesCodec(o), chunks, expected, decode, take);
      }),
    );
  });

  test('delimited', () => {
    // Few different bytes, so that delimiters overlap themselves and the payload.
    const few = fc.uint8Array({ min: 97, max: 98, minLength: 1, maxLength: 6 });
    const delimiter = fc.oneof(
      few,
      fc.constantFrom('\0', '\r\n\r\n', '€').map((text) => Uint8Array.from(Buffer.from(text))),
    );
    const options = fc.record({ maxLength, trailing, oversize });
    const both = delimiter.chain((bytes) =>
      fc.record({ delimiter: fc.constant(bytes), one: cases(long(delimiterRichBytes([bytes, 'a', 'b']))) }),
    );
    checkProperty(
      fc.property(both, options, ({ delimiter, one: { chunks, take } }, o) => {
        const rules = { ...o, delimiter: latin1(delimiter), stripCR: false };
        const expected = model.delimited(latin1(Buffer.concat(chunks)), rules);
        compare(delimitedCodec(delimiter, o), chunks, expected, bytesOf, take);
      }),
    );
  });

  test('lengthPrefixed', () => {
    const options = fc.record({
      lengthField: fc.constantFrom(...([1, 2, 3, 4, 8, 'varint'] as const)),
      byteOrder: fc.constantFrom('big', 'little'),
      offset: fc.oneof(fc.constant(0), fc.nat(4)),
      adjustment: fc.oneof(fc.constant(0), fc.integer({ min: -12, max: 12 })),
      maxLength: fc.oneof(
        fc.integer({ min: 1, max: 20 }),
        fc.constant(16 * 1024 * 1024),
        fc.constant(Number.MAX_SAFE_INTEGER),
      ),
    });
    const both = options.chain((o) =>
      fc.record({ o: fc.constant(o), one: cases(mixed(lengthPrefixedCodec(o), ['\0', '\x03', '\x80', '\xff\xff'])) }),
    );
    checkProperty(
      fc.property(both, ({ o, one: { chunks, take } }) => {
        compare(lengthPrefixedCodec(o), chunks, model.lengthPrefixed(latin1(Buffer.concat(chunks)), o), bytesOf, take);
      }),
    );
  });

  test('netstrings', () => {
    const limit = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(16 * 1024 * 1024));
    const both = limit.chain((maxLength) =>
      fc.record({
        maxLength: fc.constant(maxLength),
        one: cases(mixed(netstringsCodec({ maxLength }), ['0:,', '1:', '12', ',', ':', '00', '999999999'])),
      }),
    );
    checkProperty(
      fc.property(both, ({ maxLength, one: { chunks, take } }) => {
        const expected = model.netstrings(latin1(Buffer.concat(chunks)), maxLength);
        compare(netstringsCodec({ maxLength }), chunks, expected, bytesOf, take);
      }),
    );
  });

  test('fixedLength', () => {
    const lengths = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20_000 }));
    checkProperty(
      fc.property(lengths, cases(long(fc.uint8Array({ maxLength: 100 }))), (length, { chunks, take }) => {
        const expected = model.fixedLength(latin1(Buffer.concat(chunks)), length);
        compare(fixedLengthCodec(length), chunks, expected, bytesOf, take);
      }),
    );
  });

  test('jsonLines', () => {
    const line = fc.oneof(
      { weight: 6, arbitrary: fc.json({ maxDepth: 1 }) },
      { weight: 1, arbitrary: fc.constantFrom('', ' \t', '\r') },
      { weight: 1, arbitrary: fc.constantFrom('{', '1 2', 'nul', '\ufeff1', '\xa0') },
    );
    const blankLines = fc.constantFrom('skip', 'error');
    const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n')), { maxLength: 12 });
    const inputs = cases(text.map((lines) => new Uint8Array(Buffer.from(lines.flat().join('')))));
    checkProperty(
      fc.property(inputs, blankLines, ({ chunks }, blankLines) => {
        // Line by line, with the line's number. The rest is not compared here: the model of lines covers it.
        const values: unknown[] = [];
        let bad: number | undefined;
        const text = String(Buffer.concat(chunks)).replace(/^\ufeff/, '');
        const lines = text.split('\n').slice(0, -1);
        for (const [i, each] of lines.entries()) {
          if (blankLines === 'skip' && each.trim() === '' && !each.includes('\xa0') && !each.includes('\ufeff'))
            continue;
          try {
            values.push(JSON.parse(each));
          } catch {
            bad = i + 1;
            break;
          }
        }
        const decoder = jsonLinesCodec({ blankLines }).decoder();
        const frames: unknown[] = [];
        let error: unknown;
        try {
          for (const chunk of chunks) {
            decoder.push(chunk);
            for (let value = decoder.next(); value !== undefined; value = decoder.next()) frames.push(value);
          }
        } catch (thrown) {
          error = thrown;
        }
        expect(frames).toEqual(values);
        expect((error as { line?: number } | undefined)?.line).toBe(bad);
      }),
    );
  });
});

describe('verifyCodec accepts every codec, with random options', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  const payload = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
  /** Several sets of options, each tested with a share of the runs. */
  const each = <O>(
    options: fc.Arbitrary<O>,
    verify: (options: O, parameters: ReturnType<typeof propertyParameters>) => void,
  ) => {
    const { numRuns, seed } = propertyParameters();
    const some = Math.ceil(Math.sqrt(numRuns));
    checkProperty(
      fc.property(options, (o) => verify(o, { numRuns: some, seed })),
      { numRuns: some },
    );
  };

  test('lines', () => {
    each(
      fc.record({
        delimiter: fc.constantFrom('\n', '\r\n'),
        maxLength: fc.integer({ min: 80, max: 300 }),
        trailing,
        oversize,
      }),
      (options, parameters) => {
        const codec = linesCodec(options);
        const values = text.filter((line) => encodes(codec, line));
        const inputs = delimiterRichBytes([options.delimiter, '\r', 'x'.repeat(100)]);
        verifyCodec(codec, { values, inputs, limit: options.maxLength + 2, ...parameters });
      },
    );
  });

  test('delimited', () => {
    each(
      fc.record({ delimiter: fc.uint8Array({ min: 97, max: 98, minLength: 1, maxLength: 5 }), trailing, oversize }),
      ({ delimiter, ...options }, parameters) => {
        const codec = delimitedCodec(delimiter, { ...options, maxLength: 20 });
        const few = fc.uint8Array({ min: 97, max: 99, maxLength: 20 });
        const values = fc
          .oneof(
            payload,
            few.map((bytes) => Buffer.from(bytes)),
          )
          .filter((bytes) => encodes(codec, bytes));
        const inputs = delimiterRichBytes([delimiter, 'a', 'b']);
        verifyCodec(codec, { values, inputs, limit: 20 + delimiter.length, ...parameters });
      },
    );
  });

  test('lengthPrefixed', () => {
    each(
      fc.record({
        lengthField: fc.constantFrom(...([1, 2, 3, 4, 8, 'varint'] as const)),
        byteOrder: fc.constantFrom('big', 'little'),
        offset: fc.nat(4),
        adjustment: fc.integer({ min: -12, max: 0 }),
      }),
      (options, parameters) => {
        const codec = lengthPrefixedCodec({ ...options, maxLength: 20 });
        verifyCodec(codec, { values: payload, limit: 20 + options.offset + 10, ...parameters });
      },
    );
  });

  test('lengthPrefixed with headers', () => {
    each(
      fc.record({
        lengthField: fc.constantFrom(...([1, 4, 'varint'] as const)),
        offset: fc.integer({ min: 1, max: 4 }),
      }),
      (options, parameters) => {
        const codec = lengthPrefixedCodec({ ...options, maxLength: 20, header: true });
        const header = fc.uint8Array({ minLength: options.offset, maxLength: options.offset });
        const values = fc.record({ header: header.map((bytes) => Buffer.from(bytes)), payload });
        verifyCodec(codec, { values, limit: 20 + options.offset + 10, ...parameters });
      },
    );
  });

  test('mapCodec', () => {
    // Odd numbers are frames that are left out, and those over 1000 are refused.
    const mapping = {
      decode: (frame: Buffer | string) => {
        const number = Number.parseInt(`${frame}`, 10);
        if (!(number <= 1000)) throw new Error(`not ${frame}`);
        return number % 2 === 0 ? { number } : undefined;
      },
      encode: ({ number }: { number: number }) => `${number}`.padStart(4, '0'),
    };
    const values = fc.integer({ min: 0, max: 500 }).map((half) => ({ number: 2 * half }));
    const formats = {
      lines: [mapCodec(linesCodec({ maxLength: 99 }), mapping), ['0001\n', '0002\r\n', '2000\n']],
      delimited: [mapCodec(delimitedCodec('--', { maxLength: 99 }), mapping), ['0001--', '0002--', '-', '2000--']],
      fixedLength: [mapCodec(fixedLengthCodec(4), mapping), ['0001', '0002', '2000']],
      lengthPrefixed: [
        mapCodec(lengthPrefixedCodec({ lengthField: 1, maxLength: 99 }), mapping),
        ['\x040001', '\x040002', '\x042000'],
      ],
      netstrings: [mapCodec(netstringsCodec({ maxLength: 99 }), mapping), ['4:0001,', '4:0002,', '4:2000,']],
    } as const;
    each(fc.constantFrom(...Object.values(formats)), ([codec, pieces], parameters) =>
      verifyCodec(codec, { values, inputs: delimiterRichBytes([...pieces]), limit: 110, ...parameters }),
    );
  });

  test('netstrings', () => {
    each(fc.integer({ min: 20, max: 99 }), (maxLength, parameters) =>
      verifyCodec(netstringsCodec({ maxLength }), { values: payload, limit: maxLength + 4, ...parameters }),
    );
  });

  test('fixedLength', () => {
    each(fc.integer({ min: 1, max: 30 }), (length, parameters) => {
      const values = fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));
      verifyCodec(fixedLengthCodec(length), { values, limit: length, ...parameters });
    });
  });

  test('jsonLines', () => {
    each(fc.record({ trailing, oversize, blankLines: fc.constantFrom('skip', 'error') }), (options, parameters) => {
      // JSON has no -0, no undefined and no holes.
      const values = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
      verifyCodec(jsonLinesCodec(options), {
        values,
        inputs: delimiterRichBytes(['\n', '\r\n', '{}', '[1]']),
        ...parameters,
      });
    });
  });
});

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function encodes<T>(codec: Codec<T>, value: T): boolean {
  try {
    codec.encode(value);
    return true;
  } catch {
    return false;
  }
}

/** Valid frames, parts of them, and invalid bytes. */
function mixed(codec: Codec<Buffer>, pieces: readonly string[]): fc.Arbitrary<Uint8Array> {
  const frame = fc.uint8Array({ maxLength: 20 }).map((bytes): Chunk => {
    const payload = Buffer.from(bytes);
    return encodes(codec, payload) ? codec.encode(payload) : payload;
  });
  const piece: fc.Arbitrary<Chunk> = fc.oneof(
    { weight: 6, arbitrary: frame },
    { weight: 1, arbitrary: fc.constantFrom(...pieces).map(bytesOf) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 10 }) },
  );
  const whole = fc
    .array(piece, { maxLength: 8 })
    .map((list) => new Uint8Array(Buffer.concat(list.map((one) => Buffer.from(one as Uint8Array)))));
  return fc.tuple(whole, fc.nat(3)).map(([bytes, less]) => bytes.subarray(0, Math.max(0, bytes.length - less)));
}
