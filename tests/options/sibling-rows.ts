// The rows of @rxsock/unix and @rxsock/udp, and of what sockets of all transports do.
import { BlockList } from 'node:net';
import * as core from '@rxsock/core';
import * as tls from '@rxsock/tls';
import * as udp from '@rxsock/udp';
import * as unix from '@rxsock/unix';
import { EMPTY } from 'rxjs';
import { cert, key } from '../support/certificate.js';
import * as kind from './kinds.js';
import { acceptOptions, descriptor, type Options, proxyHeader, type Row, row, socketOptions } from './rows.js';
import { tlsRows } from './tls-rows.js';

const name: kind.Kind = { good: ['a'], bad: ['', null, 0, Number.NaN, true, {}, []] };
const unixRows: Row[] = [
  row(
    'unix connect',
    {
      ...socketOptions,
      connectTimeout: kind.timeout,
      path: kind.required(name),
      proxyProtocol: kind.object({}, { version: 1 }),
    },
    (options) => unix.connect(options),
    { base: { path: 'a' } },
  ),
  row('unix connect proxyProtocol', proxyHeader, (proxyProtocol) => unix.connect({ path: 'a', proxyProtocol })),
  row('unix listen proxyProtocol', { timeout: kind.timeout }, (proxyProtocol) =>
    unix.listen({ path: 'a', proxyProtocol }),
  ),
  row('unix connect: abstract', { abstract: kind.required(name) }, (options) => unix.connect(options)),
  row(
    'unix listen',
    {
      ...socketOptions,
      ...acceptOptions,
      path: kind.required(name),
      mode: kind.range(0, 0o777),
      removeStale: kind.flag,
      proxyProtocol: kind.object({}),
    },
    (options) => unix.listen(options),
    { base: { path: 'a' } },
  ),
  row('unix listen: abstract', { abstract: kind.required(name) }, (options) => unix.listen(options)),
  row(
    'unix listen: descriptor',
    { fd: { ...descriptor, required: true }, path: name },
    (options) => unix.listen(options),
    {
      base: { fd: 3 },
    },
  ),
];

const datagramOptions: Options = {
  highWaterMark: kind.finiteSize,
  maxWriteBuffer: kind.size,
  lingerTimeout: kind.timeout,
  keepOpen: socketOptions.keepOpen!,
  signal: kind.signal,
  scheduler: kind.scheduler,
  family: kind.family,
  reuseAddr: kind.flag,
  recvBufferSize: kind.range(1, 2 ** 31 - 1),
  sendBufferSize: kind.range(1, 2 ** 31 - 1),
  broadcast: kind.flag,
  memberships: { good: [[], [{ group: '239.1.2.3' }]], bad: ['', 'unknown', null, 0, true, {}, [null], [''], [[]]] },
  multicastInterface: kind.address,
  multicastTTL: kind.range(0, 255),
  multicastLoopback: kind.flag,
  blockList: kind.instance(new BlockList()),
  lookup: kind.callback,
};
const group: kind.Kind = { ...kind.text, good: ['239.1.2.3', 'ff02::1'], bad: [...kind.text.bad, '10.0.0.1', 'all'] };
const membership: Options = { group: kind.required(group), source: kind.address, interface: kind.address };
const member = { base: { group: '239.1.2.3' } };

const udpRows: Row[] = [
  row(
    'udp bind',
    { ...datagramOptions, port: kind.port, host: kind.host, ipv6Only: kind.flag, reusePort: kind.flag },
    (options) => udp.bind(options),
  ),
  row(
    'udp connect',
    {
      ...datagramOptions,
      port: kind.required(kind.peerPort),
      host: kind.host,
      localAddress: kind.address,
      localPort: kind.port,
    },
    (options) => udp.connect(options),
    { base: { port: 1 } },
  ),
  row('udp bind memberships', membership, (options) => udp.bind({ memberships: [options] }), member),
  row('udp connect memberships', membership, (options) => udp.connect({ port: 1, memberships: [options] }), member),
  row('udp DatagramSocket.join', membership, (options) => udp.bind().join(options), member),
  row('udp DatagramSocket.leave', membership, (options) => udp.bind().leave(options), member),
  row('udp request', { match: kind.callback, timeout: kind.timeout, retries: kind.count }, (options) =>
    udp.request(udp.connect({ port: 1 }), '', options),
  ),
  row(
    'udp mapMessages',
    {
      concurrency: kind.size,
      ordered: kind.flag,
      highWaterMark: kind.size,
      overflow: kind.choice('dropOldest', 'dropNewest'),
    },
    (options) => udp.mapMessages(() => EMPTY, options),
  ),
];

const transports = {
  tcp: { connect: () => core.connect({ port: 1 }), listen: () => core.listen() },
  tls: { connect: () => tls.connect({ port: 1 }), listen: () => tls.listen({ key, cert }) },
  unix: { connect: () => unix.connect({ path: 'a' }), listen: () => unix.listen({ path: 'a' }) },
};
const closing: Row[] = [
  ...Object.entries(transports).flatMap(([transport, { connect, listen }]) => [
    row(`core Socket.close: ${transport}`, { timeout: kind.timeout }, (options) => connect().close(options)),
    row(`core Server.close: ${transport}`, { drain: kind.timeout }, (options) => listen().close(options)),
  ]),
  row('udp DatagramSocket.close', { timeout: kind.timeout }, (options) => udp.bind().close(options)),
];

export const siblingRows: Row[] = [...tlsRows, ...unixRows, ...udpRows, ...closing];
