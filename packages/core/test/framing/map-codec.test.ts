// Values of the application over the frames of another codec.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Chunk } from '../../src/base/bytes.js';
import { FrameError } from '../../src/base/errors.js';
import type { Codec, Decoder } from '../../src/framing/codec.js';
import { delimitedCodec } from '../../src/framing/delimited.js';
import { fixedLengthCodec } from '../../src/framing/fixed-length.js';
import { jsonLinesCodec } from '../../src/framing/json-lines.js';
import { lengthPrefixedCodec } from '../../src/framing/length-prefixed.js';
import { linesCodec } from '../../src/framing/lines.js';
import { mapCodec } from '../../src/framing/map-codec.js';
import { netstringsCodec } from '../../src/framing/netstrings.js';
import { cuts, decodeAll } from './support.js';

interface ToText {
  readonly decode: (frame: Chunk) => string | undefined;
  readonly encode: (value: string) => string;
}

/** Refuses frames with `!`, and leaves out frames with `#`. */
const shout: ToText = {
  decode: (frame) => {
    const text = frame.toString();
    if (text.includes('!')) throw new RangeError(`${text} is too loud`);
    return text.includes('#') ? undefined : text.toUpperCase();
  },
  encode: (value) => value.toLowerCase(),
};

/** Four frames in each format: one, one that is left out, one, and a bad one with one behind it. */
const formats: readonly (readonly [string, Codec<string>, string, string])[] = [
  ['lines', mapCodec(linesCodec(), shout), 'ab\n#-\ncd\n', '!!\nef\n'],
  [
    'lines that are cut by CR LF',
    mapCodec(linesCodec({ delimiter: '\r\n' }), shout),
    'ab\r\n#-\r\ncd\r\n',
    '!!\r\nef\r\n',
  ],
  [
    'long lines',
    mapCodec(linesCodec({ oversize: 'discard', maxLength: 2 }), shout),
    'ab\n___\n#-\n____\ncd\n___\n',
    '!!\nef\n',
  ],
  ['delimited', mapCodec(delimitedCodec('::'), shout), 'ab::#-::cd::', '!!::ef::'],
  ['fixedLength', mapCodec(fixedLengthCodec(2), shout), 'ab#-cd', '!!ef'],
  ['lengthPrefixed', mapCodec(lengthPrefixedCodec({ lengthField: 1 }), shout), '\x02ab\x02#-\x02cd', '\x02!!\x02ef'],
  ['netstrings', mapCodec(netstringsCodec(), shout), '2:ab,2:#-,2:cd,', '2:!!,2:ef,'],
];

describe.each(formats)('over %s', (_name, codec, good, bad) => {
  test('gives the values, without the frames that are left out', () => {
    for (const chunks of cuts(good)) {
      expect(decodeAll(codec, ...chunks)).toEqual({ frames: ['AB', 'CD'], error: undefined, rest: '' });
    }
  });

  test('fails at a bad frame after the values before it, and the rest begins with that frame', () => {
    for (const chunks of cuts(good + bad)) {
      const decoder = codec.decoder();
      const values: unknown[] = [];
      let pushed = 0;
      const run = () => {
        for (const chunk of chunks) {
          pushed++;
          decoder.push(Buffer.from(chunk));
          for (let value = decoder.next(); value !== undefined; value = decoder.next()) values.push(value);
        }
      };
      expect(run).toThrow(expect.objectContaining({ code: 'ERR_FRAME_MALFORMED', phase: 'read' }));
      expect(values).toEqual(['AB', 'CD']);
      expect(Buffer.from(decoder.rest()).toString() + chunks.slice(pushed).join('')).toBe(bad);
    }
  });

  test('repeats the error', () => {
    const decoder = codec.decoder();
    decoder.push(Buffer.from(bad));
    const messages = [1, 2].map(() => {
      try {
        return decoder.next();
      } catch (error) {
        return error;
      }
    });
    expect(messages[1]).toBe(messages[0]);
    expect(() => decoder.push(Buffer.from(good))).toThrow(messages[0] as Error);
  });

  test('encodes what decodes to the same value', () => {
    const encoded = Buffer.concat(['AB', 'CD'].map((value) => Buffer.from(codec.encode(value))));
    expect(decodeAll(codec, encoded).frames).toEqual(['AB', 'CD']);
  });
});

test('the error of a frame has the cause, and names it', () => {
  const { error } = decodeAll(mapCodec(linesCodec(), shout), '!\n');
  expect(error).toBeInstanceOf(FrameError);
  expect(error).toMatchObject({ message: 'The codec refused a frame: ! is too loud', cause: expect.any(RangeError) });
});

test.each([[undefined], ['a string'], [null], [Object.create(null)]])(
  'a mapping that throws %o fails with a FrameError',
  (thrown) => {
    const codec = mapCodec(linesCodec(), {
      decode: (): string => {
        throw thrown;
      },
      encode: (value: string) => value,
    });
    const error = decodeAll(codec, 'a\n').error as Error;
    expect([error.name, error.cause]).toEqual(['FrameError', thrown]);
  },
);

test('a long bad frame that came in several chunks is given back whole', () => {
  const codec = mapCodec(lengthPrefixedCodec({ lengthField: 2 }), shout);
  const frame = Buffer.from(lengthPrefixedCodec({ lengthField: 2 }).encode(`!${'x'.repeat(9000)}`));
  const { error, rest } = decodeAll(codec, frame.subarray(0, 5000), frame.subarray(5000));
  expect(error).toBeInstanceOf(FrameError);
  expect(rest).toBe(frame.toString('latin1'));
});

test('a FrameError of the mapping is not wrapped', () => {
  const refusal = new FrameError('not for me');
  const codec = mapCodec(linesCodec(), {
    decode: (): string => {
      throw refusal;
    },
    encode: (value: string) => value,
  });
  expect(decodeAll(codec, 'a\n').error).toBe(refusal);
});

test('a last frame that has no delimiter is mapped too', () => {
  expect(decodeAll(mapCodec(linesCodec(), shout), 'ab\ncd')).toMatchObject({ frames: ['AB', 'CD'], rest: '' });
  expect(decodeAll(mapCodec(linesCodec(), shout), 'ab\n!')).toMatchObject({ frames: ['AB'], rest: '!' });
});

test('mappings of mappings run from the inside to the outside, and each can leave a frame out', () => {
  const inner = mapCodec(jsonLinesCodec<number>(), {
    decode: (value) => (value < 0 ? undefined : value * 2),
    encode: (value: number) => value / 2,
  });
  const outer = mapCodec(inner, {
    decode: (value) => (value > 10 ? undefined : `${value}`),
    encode: (value: string) => Number(value),
  });
  expect(decodeAll(outer, '1\n-1\n9\n2\n').frames).toEqual(['2', '4']);
  expect(outer.encode('4').toString()).toBe('2\n');
});

/** A decoder without FrameDecoder: a frame is a byte. */
class ByteDecoder implements Decoder<number> {
  readonly #bytes: number[] = [];

  push(chunk: Uint8Array): void {
    this.#bytes.push(...chunk);
  }

  next(): number | undefined {
    return this.#bytes.shift();
  }

  end(): void {}

  rest(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

test('a decoder without FrameDecoder is mapped too, but cannot give a bad frame back', () => {
  const bytes: Codec<number> = { decoder: () => new ByteDecoder(), encode: (value) => Buffer.from([value]) };
  const codec = mapCodec(bytes, {
    decode: (byte) => {
      if (byte === 0x21) throw new Error('loud');
      return byte === 0x23 ? undefined : String.fromCharCode(byte);
    },
    encode: (value: string) => value.charCodeAt(0),
  });
  expect(decodeAll(codec, 'a#b')).toEqual({ frames: ['a', 'b'], error: undefined, rest: '' });
  const decoder = codec.decoder();
  decoder.push(Buffer.from('a##b!c'));
  expect([decoder.next(), decoder.next()]).toEqual(['a', 'b']);
  const error = thrownBy(() => decoder.next());
  expect(error).toMatchObject({ code: 'ERR_FRAME_MALFORMED', message: 'The codec refused a frame: loud' });
  expect(thrownBy(() => decoder.next())).toBe(error);
  expect(thrownBy(() => decoder.push(Buffer.from('d')))).toBe(error);
  expect(Buffer.from(decoder.rest()).toString()).toBe('c');
});

test('a decoder without FrameDecoder learns of the end', () => {
  const end = vi.spyOn(ByteDecoder.prototype, 'end');
  onTestFinished(() => end.mockRestore());
  const bytes: Codec<number> = { decoder: () => new ByteDecoder(), encode: (value) => Buffer.from([value]) };
  mapCodec(bytes, { decode: String, encode: Number }).decoder().end();
  expect(end).toHaveBeenCalledOnce();
});

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('a mapping may be an object with methods that need it', () => {
  class Prefixed {
    readonly #prefix = '#';

    decode(line: string): string {
      return line.slice(this.#prefix.length);
    }

    encode(value: string): string {
      return `${this.#prefix}${value}`;
    }
  }
  const codec = mapCodec(linesCodec(), new Prefixed());
  expect(decodeAll(codec, codec.encode('a')).frames).toEqual(['a']);
});

test('what encode throws is thrown at the call', () => {
  const codec = mapCodec(linesCodec(), {
    decode: (line) => line,
    encode: (): string => {
      throw new TypeError('no');
    },
  });
  expect(() => codec.encode('a')).toThrow(new TypeError('no'));
});

test.each([
  [undefined, shout, /^codec must be a codec, such as linesCodec\(\)/],
  [{}, shout, /codec\.decoder must be a function/],
  [{ decoder: () => {} }, shout, /codec\.encode must be a function/],
  [linesCodec(), undefined, /mapping must be \{ decode, encode \}/],
  [linesCodec(), { encode: shout.encode }, /decode must be a function/],
  [linesCodec(), { decode: shout.decode }, /encode must be a function/],
])('refuses %o with %o', (codec, mapping, message) => {
  expect(() => mapCodec(codec as never, mapping as never)).toThrow(
    expect.objectContaining({ message: expect.stringMatching(message), name: 'TypeError' }),
  );
});
