// How names go over the wire: A-labels in SNI, in verification and as keys of `sni`, and IPv6 addresses without
// brackets.
import { once } from 'node:events';
import net from 'node:net';
import { type ClientOptions, connect, listen } from '@rxsock/tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { certificateAuthority } from '../../../../tests/support/certificates.js';
import { localhost, versions } from '../support/identities.js';
import { dial, nodeServer, serverOf } from '../support/peers.js';

const authority = await certificateAuthority();
const { cert: ca } = authority;
const munich = await authority.issue({ names: ['xn--mnchen-3ya.test'] });
const districts = await authority.issue({ names: ['*.xn--mnchen-3ya.test'] });

/** Resolves any name to this machine. */
const lookup: net.LookupFunction = (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);

/** Connects. Returns the names in the server's certificate, or the error. */
function outcome(options: Parameters<typeof dial>[0]): Promise<unknown> {
  return new Promise((resolve) => {
    const names = (text: string | undefined) => text?.replaceAll('DNS:', '');
    dial({ lookup, ca, ...options }).subscribe({
      next: (event) => event.type === 'secureConnect' && resolve(names(event.peer?.subjectAltName)),
      error: resolve,
    });
  });
}

describe.each(versions)('%s', (version) => {
  test.each<[string, ClientOptions & { host: string }]>([
    ['host', { host: 'münchen.test' }],
    ['host, with a dot at its end', { host: 'MÜNCHEN.test.' }],
    ['servername', { host: '127.0.0.1', servername: 'münchen.test' }],
    ['verifyHost', { host: '127.0.0.1', verifyHost: 'münchen.test' }],
  ])('a name that is not ASCII, as %s, is verified and sent as A-labels', async (_option, options) => {
    const server = await nodeServer({ ...munich, maxVersion: version });
    const [secured, names] = await Promise.all([server.next(), outcome({ port: server.port, ...options })]);
    expect(names).toBe('xn--mnchen-3ya.test');
    expect((secured as { servername?: string }).servername).toBe('xn--mnchen-3ya.test');
  });

  test('another name is still refused', async () => {
    const server = await nodeServer({ ...munich, maxVersion: version });
    const refusal = { name: 'CertificateError', code: 'ERR_TLS_CERT_ALTNAME_INVALID' };
    expect(await outcome({ port: server.port, host: 'munchen.test' })).toMatchObject(refusal);
    expect(await outcome({ port: server.port, host: 'mūnchen.test' })).toMatchObject(refusal);
  });

  test.each([
    ['münchen.test', 'xn--mnchen-3ya.test'],
    ['xn--mnchen-3ya.test', 'xn--mnchen-3ya.test'],
    ['schwabing.münchen.test', '*.xn--mnchen-3ya.test'],
  ])('a key of sni may be spelled like the name of its clients: %s', async (host, names) => {
    const sni = { 'MÜNCHEN.test': munich, '*.münchen.test': districts };
    const { port } = await serverOf({ maxVersion: version, sni });
    expect(await outcome({ port, host })).toBe(names);
  });

  test('an address in brackets is dialled, verified, and not sent', async () => {
    const server = await nodeServer({ ...localhost, maxVersion: version });
    const onSix = net.createServer((peer) => {
      const onFour = net.connect(server.port, '127.0.0.1').on('error', () => {});
      peer
        .on('error', () => {})
        .pipe(onFour)
        .pipe(peer);
    });
    onSix.listen(0, '::1');
    await once(onSix, 'listening');
    onTestFinished(() => void onSix.close());
    const { port } = onSix.address() as net.AddressInfo;
    const socket = dial({ port, host: '[::1]' });
    const [secured] = await Promise.all([server.next(), socket.write('x')]);
    expect(socket.readyState).toBe('open');
    expect(secured.servername).toBe(false);
    const other = await nodeServer({ ...munich, maxVersion: version });
    expect(await outcome({ port: other.port, servername: '[::1]' })).toMatchObject({
      message: expect.stringMatching(/: ::1\.? is not in the cert's/),
    });
  });
});

test.each(['servername', 'verifyHost', 'host'])('rejects a %s without A-labels at the call', (option) => {
  const message = `${option} must be a host name or an address, not 'ü/x'`;
  expect(() => connect({ port: 1, [option]: 'ü/x' })).toThrow(new TypeError(message));
});

test('rejects a key of sni without A-labels at the call', () => {
  expect(() => listen({ ...localhost, sni: { 'ü/x': munich } })).toThrow(
    new TypeError("A name of sni must be a host name or an address, not 'ü/x'"),
  );
});
