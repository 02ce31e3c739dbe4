// The option `proxyProtocol` of connect(): the header that a connection begins with.
import { connect, type ProxyHeaderOptions, Socket } from '@rxsock/core';
import { describe, expect, test } from 'vitest';
import { dial, drainRaw, rawServer } from '../../../../tests/support/raw-peers.js';
import { binaryHeader, IPV4_ENDS } from './headers.js';

const source = { address: '192.0.2.7', port: 4660, family: 'IPv4' } as const;
const destination = { address: '192.0.2.1', port: 80, family: 'IPv4' } as const;

/** What a server receives of a socket that writes `hello`. */
async function sent(proxyProtocol: ProxyHeaderOptions): Promise<Buffer> {
  const server = await rawServer();
  const socket = dial({ port: server.port, proxyProtocol });
  socket.next('hello');
  socket.complete();
  const { bytes } = await drainRaw(await server.next());
  return bytes;
}

describe('the server receives, before what is written,', () => {
  const binary = (...parts: Parameters<typeof binaryHeader>) =>
    Buffer.concat([binaryHeader(...parts), Buffer.from('hello')]);
  const tlvs = [
    { type: 0xea, value: Buffer.from('me') },
    { type: 0, value: Buffer.alloc(0) },
  ];
  const fields = Buffer.from('ea00026d65000000', 'hex');
  test.each<[string, ProxyHeaderOptions, Buffer | string]>([
    ['LOCAL', {}, binary(0x20, 0)],
    ['IPv4 ends', { source, destination }, binary(0x21, 0x11, IPV4_ENDS)],
    ['fields', { source, destination, tlvs }, binary(0x21, 0x11, Buffer.concat([IPV4_ENDS, fields]))],
    ['fields of LOCAL', { tlvs }, binary(0x20, 0, fields)],
    ['a line', { version: 1, source, destination }, 'PROXY TCP4 192.0.2.7 192.0.2.1 4660 80\r\nhello'],
    ['a line without ends', { version: 1 }, 'PROXY UNKNOWN\r\nhello'],
    [
      'a line of IPv6',
      {
        version: 1,
        source: { address: 'fe80::1%eth0', port: 1, family: 'IPv6' },
        destination: { address: '::1', port: 2, family: 'IPv6' },
      },
      'PROXY TCP6 fe80::1 ::1 1 2\r\nhello',
    ],
    [
      'IPv4 for a mapped address',
      { source: { ...source, address: '::ffff:192.0.2.7', family: 'IPv6' }, destination },
      binary(0x21, 0x11, IPV4_ENDS),
    ],
    [
      'IPv4 for a mapped address in hexadecimal',
      { source, destination: { ...destination, address: '::FFFF:c000:201', family: 'IPv6' } },
      binary(0x21, 0x11, IPV4_ENDS),
    ],
    [
      'UNIX paths',
      { source: { path: '' }, destination: { path: '/run/app' } },
      binary(0x21, 0x31, Buffer.concat([Buffer.alloc(108), Buffer.from('/run/app'), Buffer.alloc(100)])),
    ],
  ])('%s', async (_, options, expected) => {
    expect(await sent(options)).toEqual(Buffer.from(expected as string));
  });

  test('the largest header', async () => {
    const value = Buffer.alloc(65_535 - 12 - 3, 'x');
    expect((await sent({ source, destination, tlvs: [{ type: 1, value }] })).length).toBe(16 + 65_535 + 5);
  });
});

test('the header does not count as written', async () => {
  const server = await rawServer();
  const socket = dial({ port: server.port, proxyProtocol: {} });
  await socket.write('hello');
  expect([socket.bytesWritten, socket.proxied]).toEqual([5, undefined]);
});

describe('connect() refuses', () => {
  test.each<[string, unknown, string]>([
    ['null', null, 'proxyProtocol must be an object'],
    ['a string', '', 'proxyProtocol must be an object'],
    ['the version 3', { version: 3 }, 'version must be one of 1, 2, not 3'],
    ['the version "1"', { version: '1' }, 'version must be one of 1, 2'],
    ['a source alone', { source }, 'destination must be an endpoint'],
    ['a destination alone', { destination }, 'source must be an endpoint'],
    ['a null source', { source: null, destination }, 'source must be an endpoint'],
    [
      'a host name',
      { source: { ...source, address: 'localhost' }, destination },
      'source.address must be an IPv4 or IPv6',
    ],
    ['no port', { source: { address: '192.0.2.7' }, destination }, 'source.port must be an integer'],
    ['the port NaN', { source: { ...source, port: Number.NaN }, destination }, 'source.port must be an integer'],
    ['the port 65536', { source, destination: { ...destination, port: 65_536 } }, 'destination.port must be'],
    [
      'two families',
      { source, destination: { address: '::1', port: 1 } },
      'destination must be an endpoint of the same',
    ],
    ['a path and an address', { source: { path: '/a' }, destination }, 'destination must be an endpoint of the same'],
    ['a long path', { source: { path: 'x'.repeat(109) }, destination }, 'source.path must be a path of at most 108'],
    [
      'paths in version 1',
      { version: 1, source: { path: '' }, destination: { path: '' } },
      'cannot be paths in version 1',
    ],
    ['fields in version 1', { version: 1, tlvs: [{ type: 1, value: Buffer.of(1) }] }, 'tlvs do not go with version 1'],
    ['fields that are no array', { tlvs: {} }, 'tlvs must be an array'],
    ['a field that is null', { tlvs: [null] }, 'tlvs[0] must be an object'],
    ['a type of 256', { tlvs: [{ type: 256, value: Buffer.of(1) }] }, 'tlvs[0].type must be an integer from 0 to 255'],
    ['a value of null', { tlvs: [{ type: 1, value: null }] }, 'value must be a string or a Uint8Array'],
    ['a long value', { tlvs: [{ type: 1, value: Buffer.alloc(65_536) }] }, 'value must have at most 65535 bytes'],
    ['a long header', { tlvs: [{ type: 1, value: Buffer.alloc(65_533) }] }, 'tlvs must have at most 65535 bytes'],
  ])('%s', (_, proxyProtocol, message) => {
    const call = () => connect({ port: 1, proxyProtocol: proxyProtocol as ProxyHeaderOptions });
    expect(call).toThrow(message);
  });

  test('nothing that is valid', () => {
    expect(connect({ port: 1, proxyProtocol: { version: 1 } })).toBeInstanceOf(Socket);
  });
});
