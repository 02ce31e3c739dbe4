// OpenSSL's server, s_server, with clients of ours: verification both ways, resumption, a stream that is cut.
import * as tcp from '@rxsock/core';
import { type ClientOptions, connect, createSecureContext } from '@rxsock/tls';
import { firstValueFrom, lastValueFrom, of, tap, toArray } from 'rxjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Listening } from '../support/listening-programs.js';
import { Program } from '../support/program.js';
import { type CertificateFiles, certificateFiles, type KeyFiles, opensslFlag, versions } from './tls.js';

let files: CertificateFiles;
beforeAll(async () => {
  files = await certificateFiles();
});
afterAll(() => files?.[Symbol.asyncDispose]());

/** With `-rev` it answers each line with the reversed line. Otherwise it only prints, and sends its input. */
async function start({ certFile, keyFile }: KeyFiles, ...args: string[]): Promise<Listening> {
  const flags = ['-accept', '127.0.0.1:0', '-cert', certFile, '-key', keyFile, ...args];
  const program = new Program('openssl', ['s_server', ...flags]);
  const [, port] = await program.printed(/^ACCEPT 127\.0\.0\.1:(\d+)$/m);
  return { program, port: Number(port), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}

const dial = (port: number, options: ClientOptions = {}) =>
  connect({ host: '127.0.0.1', port, ca: files.ca, ...options });

test.each(versions)('answers everything that came before our close_notify, in %s', async (version) => {
  await using server = await start(files.server, '-rev', opensslFlag(version));
  const socket = dial(server.port);
  const secured = firstValueFrom(socket.pipe(tcp.on('secureConnect')));

  const answers = of('abc\n', 'xyz\n').pipe(tcp.through(socket), tcp.lines(), toArray());

  expect(await lastValueFrom(answers)).toEqual(['cba', 'zyx']);
  expect(await secured).toMatchObject({ protocol: version, authorized: true, peer: { subject: 'CN=localhost' } });
});

test('agrees with us on a group and a signature of our lists', async () => {
  await using server = await start(files.server, '-rev');
  const options = { ecdhCurve: 'P-521:P-384', sigalgs: 'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256' };
  await lastValueFrom(of('abc\n').pipe(tcp.through(dial(server.port, options)), tcp.lines()));

  await server.program.printed(/^Signature Algorithms: ECDSA\+SHA256:RSA-PSS\+SHA256$/m, 'stderr');
  await server.program.printed(/^Supported groups: (secp521r1|P-521):(secp384r1|P-384)$/im, 'stderr');
});

test.each([
  ['has expired', 'CERT_HAS_EXPIRED', () => start(files.expired), () => ({})],
  ['is for another name', 'ERR_TLS_CERT_ALTNAME_INVALID', () => start(files.other), () => ({})],
  [
    'a stranger has signed',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    () => start(files.server),
    () => ({ ca: files.stranger }),
  ],
])('is sent nothing if its certificate is one that %s', async (_title, code, startIt, options) => {
  await using server = await startIt();

  await expect(lastValueFrom(dial(server.port, options()))).rejects.toMatchObject({ name: 'CertificateError', code });
  expect(server.program.stdout).not.toContain('CIPHER is');
});

test.each([
  ['TLSv1.2', 'handshake_failure', 'open'],
  ['TLSv1.3', 'certificate_required', 'read'],
])('rejects us without a certificate and accepts us with one, in %s', async (version, alert, phase) => {
  const wants = ['-Verify', '1', '-verify_return_error', '-CAfile', files.caFile];
  await using server = await start(files.server, '-rev', opensslFlag(version), ...wants);
  const ask = (options: ClientOptions) => of('abc\n').pipe(tcp.through(dial(server.port, options)), tcp.lines());

  await expect(lastValueFrom(ask({}))).rejects.toMatchObject({ name: 'AlertError', alert, phase });
  expect(await lastValueFrom(ask({ cert: files.client.cert, key: files.client.key }))).toBe('cba');
  await server.program.printed(/^Peer certificate: CN ?= ?joe$/m, 'stderr');
});

test.each(versions)('is killed, and we report the stream as cut, not ended, in %s', async (version) => {
  await using server = await start(files.server, opensslFlag(version));
  const socket = dial(server.port);
  const lines: string[] = [];
  const ended = lastValueFrom(
    socket.pipe(
      tcp.data(),
      tcp.lines(),
      tap((line) => lines.push(line)),
    ),
  );
  server.program.stdin.write('half of it\n');
  await expect.poll(() => lines).toEqual(['half of it']);
  server.program.kill('SIGKILL');

  await expect(ended).rejects.toMatchObject({ code: 'ERR_TLS_TRUNCATED' });
});

test.each(versions)('resumes the session of a context in %s', async (version) => {
  await using server = await start(files.server, opensslFlag(version));
  const context = createSecureContext({ ca: files.ca });
  const say = (text: string) => of(text).pipe(tcp.through(connect({ host: '127.0.0.1', port: server.port, context })));

  await lastValueFrom(say('first\n'), { defaultValue: undefined });
  expect(server.program.stdout).not.toContain('Reused session-id');
  await lastValueFrom(say('second\n'), { defaultValue: undefined });
  await server.program.printed(/^Reused session-id\n(.*\n)*second\n/m);
});
