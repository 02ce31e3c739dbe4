// OpenSSL's client, s_client, with servers of ours: verification both ways, versions, SNI, ALPN, resumption, STARTTLS.
import path from 'node:path';
import * as tcp from '@rxsock/core';
import { listen, type ServerOptions, upgrade } from '@rxsock/tls';
import { firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Program } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { serving } from './support.js';
import { type CertificateFiles, certificateFiles, opensslFlag, versions } from './tls.js';

let files: CertificateFiles;
beforeAll(async () => {
  files = await certificateFiles();
});
afterAll(() => files?.[Symbol.asyncDispose]());

const echo = (socket: tcp.Socket) => socket.pipe(tcp.data());
const serve = (options: Partial<ServerOptions> = {}) => serving(listen({ ...files.server, ...options }), echo);

/** Trusts our authority and expects our name, unless set otherwise. */
const client = (port: number, ...args: string[]) => {
  const verify = ['-verify_return_error', '-CAfile', files.caFile, '-verify_hostname', 'localhost'];
  return new Program('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...verify, ...args]);
};

/** Sends a line, waits for its echo, and leaves. */
async function talk(program: Program): Promise<void> {
  program.stdin.write('hello\n');
  await program.printed(/hello\n/);
  program.stdin.end();
  expect(await program.exited).toBe(0);
}

test.each(versions)('verifies our certificate and exchanges data in %s', async (version) => {
  const { address, errors, drops } = await serve({ alpn: ['first', 'second'] });
  await using program = client(address.port, opensslFlag(version), '-alpn', 'second');

  await talk(program);

  expect(program.stdout).toMatch(/^Verification: OK$/m);
  expect(program.stdout).toContain(`New, ${version}, Cipher`);
  expect(program.stdout).toMatch(/^ALPN protocol: second$/m);
  expect([...errors, ...drops]).toEqual([]);
});

test.each(versions)('does not trust an unknown authority, which is a drop in %s', async (version) => {
  const { address, errors, drops } = await serve();
  await using program = client(address.port, opensslFlag(version), '-CAfile', files.strangerFile);

  expect(await program.exited).toBe(1);
  expect(program.stderr).toContain('unable to get local issuer certificate');
  await expect.poll(() => drops).toMatchObject([{ reason: 'handshake', error: { alert: 'unknown_ca' } }]);
  expect(errors).toEqual([]);
});

test('agrees with us on the group and on the signature that our lists name', async () => {
  const { address } = await serve({ ecdhCurve: 'P-384', sigalgs: 'ECDSA+SHA384' });
  // In TLS 1.3 only one signature fits the key of our certificate.
  await using program = client(address.port, '-tls1_2');

  await talk(program);

  expect(program.stdout).toMatch(/^(Server|Peer) Temp Key: .*384/m);
  expect(program.stdout).toMatch(/^Peer signing digest: SHA384$/m);
});

test.each([
  ['group', { ecdhCurve: 'P-384' }, ['-groups', 'X25519']],
  ['signature', { sigalgs: 'ECDSA+SHA384' }, ['-sigalgs', 'ECDSA+SHA256', '-tls1_2']],
])('does not agree with us on a %s that our list does not name', async (_title, options, flags) => {
  const sni = { 'other.test': { key: files.other.key, cert: files.other.cert } };
  const { address, drops } = await serve({ ...options, sni });
  for (const name of ['localhost', 'other.test']) {
    await using program = client(address.port, ...flags, '-servername', name);
    expect(await program.exited).toBe(1);
  }
  await expect.poll(() => drops).toMatchObject([{ reason: 'handshake' }, { reason: 'handshake' }]);
});

test('gets the certificate of the name that it asks for', async () => {
  const { address } = await serve({ sni: { '*.test': { key: files.other.key, cert: files.other.cert } } });
  await using program = client(address.port, '-servername', 'other.test', '-verify_hostname', 'other.test');

  await talk(program);

  expect(program.stdout).toMatch(/^subject=CN ?= ?other\.test$/m);
});

test.each(versions)(
  'shows its own certificate if we request one, and is rejected without one, in %s',
  async (version) => {
    const { address, errors, drops } = await serve({ ca: files.ca, requestCert: true });
    await using joe = client(
      address.port,
      opensslFlag(version),
      '-cert',
      files.client.certFile,
      '-key',
      files.client.keyFile,
    );
    await talk(joe);
    expect(drops).toEqual([]);

    await using nobody = client(address.port, opensslFlag(version));
    nobody.stdin.write('hello\n');
    expect(await nobody.exited).toBe(1);
    expect(nobody.stderr).toMatch(version === 'TLSv1.2' ? /alert handshake failure/ : /alert certificate required/);
    expect(drops).toMatchObject([{ reason: 'handshake' }]);
    expect(errors).toEqual([]);
  },
);

test.each(versions)('resumes its session in %s', async (version) => {
  await using folder = await temporaryFolder();
  const session = path.join(folder.path, 'session');
  const { address } = await serve();
  await using first = client(address.port, opensslFlag(version), '-sess_out', session);
  await talk(first);

  await using second = client(address.port, opensslFlag(version), '-sess_in', session);
  await talk(second);

  expect(first.stdout).toContain(`New, ${version}`);
  expect(second.stdout).toContain(`Reused, ${version}`);
});

test('continues with TLS after STARTTLS', async () => {
  const server = tcp.listen();
  onTestFinished(() => server.close({ drain: 0 }));
  server.pipe(tcp.connections()).subscribe(async (socket) => {
    const smtp = tcp.reader(socket);
    await socket.write('220 mail.test\r\n');
    await smtp.readLine(); // EHLO
    await socket.write('250-mail.test\r\n250 STARTTLS\r\n');
    await smtp.readLine(); // STARTTLS
    await socket.write('220 go ahead\r\n');
    const secure = upgrade(smtp, { ...files.server, isServer: true });
    echo(secure).pipe(tcp.writeTo(secure)).subscribe();
  });
  const { address } = await firstValueFrom(server.pipe(tcp.on('listening')));
  await using program = client(address.port, '-starttls', 'smtp', '-name', 'me');

  await talk(program);

  expect(program.stdout).toMatch(/^Verification: OK$/m);
});
