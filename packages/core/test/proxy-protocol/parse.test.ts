// The parser of PROXY headers. Its module is no public one: no public function takes the bytes of a header.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkProperty } from '../../../../tests/support/property.js';
import { encodeProxyHeader } from '../../src/proxy-protocol/encode.js';
import { parseProxyHeader } from '../../src/proxy-protocol/parse.js';
import { binaryHeader, IPV4_ENDS } from './headers.js';

/** Parses as a stream would: looks again when there are as many bytes as the parser asked for. */
function parse(bytes: string | Buffer) {
  const all = Buffer.from(bytes as string, 'latin1');
  for (let length = 1; ; ) {
    const parsed = parseProxyHeader(all.subarray(0, length));
    if (!('atLeast' in parsed)) return { ...parsed.header, rest: all.toString('latin1', parsed.length) };
    if (parsed.atLeast > all.length) return `needs ${parsed.atLeast} bytes`;
    expect(parsed.atLeast).toBeGreaterThan(length);
    length = parsed.atLeast;
  }
}

const ipv4 = (address: string, port: number) => ({ address, port, family: 'IPv4' });
const ipv6 = (address: string, port: number) => ({ address, port, family: 'IPv6' });
const unknown = (version: number) => ({ version, source: undefined, destination: undefined, tlvs: [], rest: '' });

describe('version 1', () => {
  test('names both ends, and leaves what follows', () => {
    expect(parse('PROXY TCP4 192.0.2.7 192.0.2.1 4660 80\r\nPROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n')).toEqual({
      version: 1,
      source: ipv4('192.0.2.7', 4660),
      destination: ipv4('192.0.2.1', 80),
      tlvs: [],
      rest: 'PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n',
    });
    expect(parse('PROXY TCP6 2001:db8::7 ::ffff:192.0.2.1 0 65535\r\n')).toMatchObject({
      source: ipv6('2001:db8::7', 0),
      destination: ipv6('::ffff:192.0.2.1', 65_535),
    });
  });

  test.each(['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN whatever follows\r\n'])('%j names nobody', (line) => {
    expect(parse(line)).toEqual(unknown(1));
  });

  test('may have 107 bytes and no more', () => {
    const longest = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
    expect(parse(longest)).toEqual(unknown(1));
    expect(() => parse(longest.replace('x', 'xx'))).toThrow('its PROXY line is longer than 107 bytes');
    expect(parse('PROXY UNKNOWN')).toBe('needs 14 bytes');
  });

  test.each([
    'PROXY',
    'PROXY ',
    'PROXY TCP4',
    'PROXY TCP5 192.0.2.7 192.0.2.1 4660 80',
    'PROXY UDP4 192.0.2.7 192.0.2.1 4660 80',
    'PROXY toString 192.0.2.7 192.0.2.1 4660 80',
    'PROXY TCP4 192.0.2.7 192.0.2.1 4660',
    'PROXY TCP4 192.0.2.7 192.0.2.1 4660 80 ',
    'PROXY TCP4  192.0.2.7 192.0.2.1 4660 80',
    'PROXY TCP4 192.0.2.7\t192.0.2.1 4660 80',
    'PROXY TCP4 192.0.2.256 192.0.2.1 4660 80',
    'PROXY TCP4 192.0.2.07 192.0.2.1 4660 80',
    'PROXY TCP4 ::1 ::1 4660 80',
    'PROXY TCP6 192.0.2.7 192.0.2.1 4660 80',
    'PROXY TCP6 fe80::1%eth0 ::1 4660 80',
    'PROXY TCP4 localhost 192.0.2.1 4660 80',
    'PROXY TCP4 192.0.2.7 192.0.2.1 65536 80',
    'PROXY TCP4 192.0.2.7 192.0.2.1 04660 80',
    'PROXY TCP4 192.0.2.7 192.0.2.1 -1 80',
    'PROXY TCP4 192.0.2.7 192.0.2.1 1e3 80',
    'PROXY TCP4 192.0.2.7 192.0.2.1 4660 80\nGET /',
  ])('refuses the line %j', (line) => {
    expect(() => parse(`${line}\r\n`)).toThrow(/its PROXY line is not valid|does not begin/);
  });
});

describe('version 2', () => {
  test('names both ends, has fields, and leaves what follows', () => {
    const fields = Buffer.from('02000b6578616d706c652e636f6d040000', 'hex');
    expect(parse(Buffer.concat([binaryHeader(0x21, 0x11, Buffer.concat([IPV4_ENDS, fields])), Buffer.of(88)]))).toEqual(
      {
        version: 2,
        source: ipv4('192.0.2.7', 4660),
        destination: ipv4('192.0.2.1', 80),
        tlvs: [
          { type: 2, value: Buffer.from('example.com') },
          { type: 4, value: Buffer.alloc(0) },
        ],
        rest: 'X',
      },
    );
  });

  test('LOCAL and an unspecified family name nobody, whatever follows', () => {
    expect(parse(binaryHeader(0x20, 0))).toEqual(unknown(2));
    expect(parse(binaryHeader(0x20, 0x11, IPV4_ENDS))).toEqual(unknown(2));
    expect(parse(binaryHeader(0x20, 0xff, Buffer.from('abc')))).toEqual(unknown(2));
    expect(parse(binaryHeader(0x21, 0, Buffer.from('abc')))).toEqual(unknown(2));
  });

  test.each([
    ['the version 1', binaryHeader(0x11, 0x11, IPV4_ENDS), 'has the version 1, not 2'],
    ['an unknown command', binaryHeader(0x22, 0x11, IPV4_ENDS), 'has the command 2'],
    ['datagrams', binaryHeader(0x21, 0x12, IPV4_ENDS), 'has the family 0x12, which is none of streams'],
    ['an unknown family', binaryHeader(0x21, 0x41, IPV4_ENDS), 'has the family 0x41'],
    ['addresses that are too short', binaryHeader(0x21, 0x11, IPV4_ENDS.subarray(1)), 'is too short for its addresses'],
    ['IPv6 with the length of IPv4', binaryHeader(0x21, 0x21, IPV4_ENDS), 'is too short for its addresses'],
    ['half a field', binaryHeader(0x21, 0x11, Buffer.concat([IPV4_ENDS, Buffer.of(2, 0)])), 'ends inside a field'],
    [
      'a long field',
      binaryHeader(0x21, 0x11, Buffer.concat([IPV4_ENDS, Buffer.of(2, 0, 2, 0)])),
      'ends inside a field',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parse(bytes)).toThrow(message);
  });
});

test.each(['', 'x', 'GET / HTTP/1.1\r\n', 'proxy TCP4', '\r\n\r\nX', '\x16\x03\x01', ' PROXY'])(
  'refuses %j at the first byte that is not of a header',
  (junk) => {
    const wrong = Buffer.from(`${junk}?`, 'latin1');
    expect(() => parseProxyHeader(wrong)).toThrow('it does not begin with a PROXY header');
  },
);

describe('every header that is encoded', () => {
  const endpoint = fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(65_535))
    .map(([address, port]) => ({ address, port, family: address.includes(':') ? 'IPv6' : 'IPv4' }) as const);
  const ends = fc.tuple(endpoint, endpoint).filter(([a, b]) => a.family === b.family);
  const tlvs = fc.array(fc.record({ type: fc.nat(255), value: fc.uint8Array({ maxLength: 300 }) }), { maxLength: 3 });

  test('is parsed to what it was made of, however it is cut', async () => {
    const property = fc.property(ends, tlvs, fc.constantFrom(1, 2), ([source, destination], fields, version) => {
      const bytes = encodeProxyHeader({ version, source, destination, ...(version === 2 && { tlvs: fields }) });
      for (let length = 0; length < bytes.length; length++)
        expect(parseProxyHeader(bytes.subarray(0, length))).toHaveProperty('atLeast');
      const parsed = parse(Buffer.concat([bytes, Buffer.from('rest')]));
      const canonical = ({ address }: { address: string }) => new URL(`http://[${address}]`).hostname;
      expect(parsed).toMatchObject({
        version,
        tlvs: version === 2 ? fields.map(({ type, value }) => ({ type, value: Buffer.from(value) })) : [],
        rest: 'rest',
      });
      const { source: from } = parsed as { source: { address: string; port: number } };
      expect(from.port).toBe(source.port);
      if (source.family === 'IPv6' && from.address.includes(':')) expect(canonical(from)).toBe(canonical(source));
      else expect(source.address).toMatch(new RegExp(`${from.address}$`));
    });
    await checkProperty(property, { numRuns: 200 });
  });
});
