// The rows of @rxsock/tls.
import * as core from '@rxsock/core';
import * as tls from '@rxsock/tls';
import { cert, key } from '../support/certificate.js';
import * as kind from './kinds.js';
import {
  dialOptions,
  keepAliveRow,
  listenOptions,
  type Options,
  proxyHeader,
  proxyProtocol,
  type Row,
  row,
  socketOptions,
} from './rows.js';

const notPem = ['', null, 0, Number.NaN, true, {}];
const pem = (good: string): kind.Kind => ({
  good: [good, Buffer.from(good), [good]],
  bad: [...notPem, [], [''], [null], [1]],
});
const notNames = [...kind.text.bad, ' ', 'P-256:', 'X25519, P-256'];
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
  sigalgs: { good: ['ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256'], bad: notNames },
  ecdhCurve: { good: ['X25519:P-256', 'auto'], bad: notNames },
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
/** What a server needs for each of its names. */
const named: Options = { ...credentials, cert: kind.required(pem(cert)), key: kind.required(pem(key)) };
const identity: Options = { ...context, ...named, sni: kind.object({}, { 'example.com': { key, cert } }) };
const server: Options = {
  ...identity,
  ...handshake,
  requestCert: kind.flag,
  alpn: kind.also(protocols, { good: [() => 'h2'] }),
};
/** The options of a server with one more name. */
const names = (options: never) => ({ key, cert, sni: { 'example.com': options } });
const secured = { key, cert, ca: cert };

export const tlsRows: Row[] = [
  row('tls connect', { ...dialOptions, ...client }, (options) => tls.connect(options), { base: { port: 1 } }),
  keepAliveRow('tls connect', (options) => tls.connect({ port: 1, ...options })),
  keepAliveRow('tls listen', (options) => tls.listen({ ...secured, ...options })),
  row('tls createSecureContext', context, (options) => tls.createSecureContext(options)),
  row('tls listen', { ...listenOptions, ...server, maxHandshakes: kind.size }, (options) => tls.listen(options), {
    base: secured,
  }),
  row('tls connect proxyProtocol', proxyHeader, (options) => tls.connect({ port: 1, proxyProtocol: options })),
  row(
    'tls listen proxyProtocol',
    proxyProtocol,
    (options) => tls.listen({ ...secured, proxyProtocol: options as never }),
    {
      base: { trusted: ['::1'] },
    },
  ),
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
