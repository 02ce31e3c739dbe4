// The rows of @rxsock/tls, @rxsock/unix and @rxsock/udp.
import { BlockList } from 'node:net';
import * as core from '@rxsock/core';
import * as tls from '@rxsock/tls';
import * as udp from '@rxsock/udp';
import * as unix from '@rxsock/unix';
import { EMPTY } from 'rxjs';
import { cert, key } from '../support/certificate.js';
import * as kind from './kinds.js';
import {
  acceptOptions,
  descriptor,
  dialOptions,
  listenOptions,
  type Options,
  type Row,
  row,
  socketOptions,
} from './rows.js';

const notPem = ['', null, 0, Number.NaN, true, {}];
const pem = (good: string): kind.Kind => ({
  good: [good, Buffer.from(good), [good]],
  bad: [...notPem, [], [''], [null], [1]],
});
const version = kind.choice('TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3');

const credentials: Options = {
  ca: { ...pem(cert), bad: [...notPem, [''], [null], [1], '/etc/ssl/cert.pem', ['ca.pem']] },
  cert: pem(cert),
  key: pem(key),
  passphrase: { good: ['', 'secret'], bad: [null, 0, true, {}, []] },
  // Node parses these itself: here only what it would ignore.
  pfx: { good: [], bad: [...notPem, [], ['']] },
  crl: { good: [], bad: [...notPem, [], ['']] },
};
const context: Options = {
  ...credentials,
  ciphers: { ...kind.text, good: ['ECDHE-ECDSA-AES128-GCM-SHA256'] },
  minVersion: { ...version, good: ['TLSv1.2', 'TLSv1.3'] },
  maxVersion: { ...version, good: ['TLSv1.2', 'TLSv1.3'] },
};
const protocols: kind.Kind = {
  good: [['h2'], ['a'.repeat(255)]],
  bad: ['', 'h2', null, 0, true, {}, [], [''], [1], ['a'.repeat(256)]],
};
const handshake: Options = { verify: kind.flag, handshakeTimeout: kind.timeout, keyLog: kind.callback };
const client: Options = {
  ...context,
  ...handshake,
  context: kind.instance(tls.createSecureContext()),
  servername: kind.host,
  verifyHost: kind.host,
  alpn: protocols,
};
const server: Options = {
  ...context,
  ...handshake,
  cert: kind.required(credentials.cert!),
  key: kind.required(credentials.key!),
  sni: kind.object({}, { 'example.com': { key, cert } }),
  requestCert: kind.flag,
  alpn: kind.also(protocols, { good: [() => 'h2'] }),
};
/** The options of a server with one more name. */
const names = (options: never) => ({ key, cert, sni: { 'example.com': options } });
const { requestCert: _, verify: __, handshakeTimeout: ___, keyLog: ____, alpn: _____, ...identity } = server;
const named: Options = { ...credentials, cert: server.cert!, key: server.key! };
const secured = { key, cert, ca: cert };

const tlsRows: Row[] = [
  row('tls connect', { ...dialOptions, ...client }, (options) => tls.connect(options), { base: { port: 1 } }),
  row('tls createSecureContext', context, (options) => tls.createSecureContext(options)),
  row('tls listen', { ...listenOptions, ...server }, (options) => tls.listen(options), { base: secured }),
  row('tls listen sni', named, (options) => tls.listen(names(options)), { base: { key, cert } }),
  row('tls SecureServer.setSecureContext', identity, (options) => tls.listen(secured).setSecureContext(options), {
    base: { key, cert },
  }),
  row(
    'tls SecureServer.setSecureContext sni',
    named,
    (options) => tls.listen(secured).setSecureContext(names(options)),
    {
      base: { key, cert },
    },
  ),
  // A socket that is not open: a call that goes well fails with a SocketError, after its options are checked.
  row(
    'tls upgrade: client',
    {
      ...socketOptions,
      ...client,
      servername: kind.required(kind.host),
      isServer: { ...kind.flag, good: [false] },
    },
    (options) => tls.upgrade(core.connect({ port: 1 }), options),
    { base: { servername: 'localhost' } },
  ),
  row(
    'tls upgrade: server',
    { ...socketOptions, ...server, isServer: { ...kind.flag, good: [true], required: true } },
    (options) => tls.upgrade(core.connect({ port: 1 }), options),
    { base: { ...secured, isServer: true } },
  ),
  row(
    'tls upgrade sni',
    named,
    (options) => tls.upgrade(core.connect({ port: 1 }), { isServer: true, ...names(options) }),
    { base: { key, cert } },
  ),
];

const name: kind.Kind = { good: ['a'], bad: ['', null, 0, Number.NaN, true, {}, []] };
const unixRows: Row[] = [
  row(
    'unix connect',
    { ...socketOptions, connectTimeout: kind.timeout, path: kind.required(name) },
    (options) => unix.connect(options),
    { base: { path: 'a' } },
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
  ...socketOptions,
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
for (const name of ['allowHalfOpen', 'halfOpenTimeout', 'finTimeout', 'idleTimeout', 'holdTimeout']) {
  delete (datagramOptions as Record<string, kind.Kind>)[name];
}
const group: kind.Kind = { ...kind.text, good: ['239.1.2.3', 'ff02::1'], bad: [...kind.text.bad, '10.0.0.1', 'all'] };
const membership: Options = { group: kind.required(group), source: kind.address, interface: kind.address };
const member = { base: { group: '239.1.2.3' } };

const udpRows: Row[] = [
  row('udp bind', { ...datagramOptions, port: kind.port, host: kind.host, ipv6Only: kind.flag }, (options) =>
    udp.bind(options),
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
