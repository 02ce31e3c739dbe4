// OpenSSL's client and server: verification both ways, versions, SNI, ALPN, resumption, STARTTLS, cut streams.
import path from 'node:path';
import * as tcp from '@rxsock/core';
import { type ClientOptions, connect, createSecureContext, listen, type ServerOptions, upgrade } from '@rxsock/tls';
import { firstValueFrom, lastValueFrom, of, tap, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Program } from '../support/program.js';
import { type Listening, serving, temporaryFolder } from './support.js';
import { type CertificateFiles, certificateFiles, type KeyFiles } from './tls.js';

let files: CertificateFiles;
beforeAll(async () => {
  files = await certificateFiles();
});
afterAll(() => files?.[Symbol.asyncDispose]());

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const flagOf = (version: string) => (version === 'TLSv1.2' ? '-tls1_2' : '-tls1_3');

describe('s_client', () => {
  const echo = (socket: tcp.Socket) => socket.pipe(tcp.data());
  const serve = (
    options: Partial<ServerOptions> = {},
    handler: (socket: tcp.Socket) => ReturnType<typeof echo> = echo,
  ) => serving(listen({ ...files.server, ...options }), handler);

  /** Trusts our authority and wants our name, unless told otherwise. */
  const client = (port: number, ...args: string[]) => {
    const verify = ['-verify_return_error', '-CAfile', files.caFile, '-verify_hostname', 'localhost'];
    return new Program('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...verify, ...args]);
  };

  /** Says something, hears it again and goes. */
  async function talk(program: Program): Promise<void> {
    program.stdin.write('hello\n');
    await program.printed(/hello\n/);
    program.stdin.end();
    expect(await program.exited).toBe(0);
  }

  it.each(versions)('verifies our certificate and talks in %s', async (version) => {
    const { address, errors, drops } = await serve({ alpn: ['first', 'second'] });
    await using program = client(address.port, flagOf(version), '-alpn', 'second');

    await talk(program);

    expect(program.stdout).toMatch(/^Verification: OK$/m);
    expect(program.stdout).toContain(`New, ${version}, Cipher`);
    expect(program.stdout).toMatch(/^ALPN protocol: second$/m);
    expect([...errors, ...drops]).toEqual([]);
  });

  it.each(versions)('does not trust a stranger, which is a drop in %s', async (version) => {
    const { address, errors, drops } = await serve();
    await using program = client(address.port, flagOf(version), '-CAfile', files.strangerFile);

    expect(await program.exited).toBe(1);
    expect(program.stderr).toContain('unable to get local issuer certificate');
    await expect.poll(() => drops).toMatchObject([{ reason: 'handshake', error: { alert: 'unknown_ca' } }]);
    expect(errors).toEqual([]);
  });

  it('is shown the certificate of the name that it asks for', async () => {
    const { address } = await serve({ sni: { '*.test': { key: files.other.key, cert: files.other.cert } } });
    await using program = client(address.port, '-servername', 'other.test', '-verify_hostname', 'other.test');

    await talk(program);

    expect(program.stdout).toMatch(/^subject=CN = other\.test$/m);
  });

  it.each(versions)(
    'shows its own certificate where we ask for one, and is refused without, in %s',
    async (version) => {
      const { address, errors, drops } = await serve({ ca: files.ca, requestCert: true });
      await using joe = client(
        address.port,
        flagOf(version),
        '-cert',
        files.client.certFile,
        '-key',
        files.client.keyFile,
      );
      await talk(joe);
      expect(drops).toEqual([]);

      await using nobody = client(address.port, flagOf(version));
      nobody.stdin.write('hello\n');
      expect(await nobody.exited).toBe(1);
      expect(nobody.stderr).toMatch(version === 'TLSv1.2' ? /alert handshake failure/ : /alert certificate required/);
      expect(drops).toMatchObject([{ reason: 'handshake' }]);
      expect(errors).toEqual([]);
    },
  );

  it.each(versions)('resumes its session in %s', async (version) => {
    await using folder = await temporaryFolder();
    const session = path.join(folder.path, 'session');
    const { address } = await serve();
    await using first = client(address.port, flagOf(version), '-sess_out', session);
    await talk(first);

    await using second = client(address.port, flagOf(version), '-sess_in', session);
    await talk(second);

    expect(first.stdout).toContain(`New, ${version}`);
    expect(second.stdout).toContain(`Reused, ${version}`);
  });

  it('goes on with TLS after STARTTLS', async () => {
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
});

describe('s_server', () => {
  /** A server that answers each line with the same line backwards. */
  async function start({ certFile, keyFile }: KeyFiles, ...args: string[]): Promise<Listening> {
    const flags = ['-accept', '127.0.0.1:0', '-cert', certFile, '-key', keyFile, ...args];
    const program = new Program('openssl', ['s_server', ...flags]);
    const [, port] = await program.printed(/^ACCEPT 127\.0\.0\.1:(\d+)$/m);
    return { program, port: Number(port), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
  }

  const dial = (port: number, options: ClientOptions = {}) =>
    connect({ host: '127.0.0.1', port, ca: files.ca, ...options });

  it.each(versions)('answers all that came before our close_notify, in %s', async (version) => {
    await using server = await start(files.server, '-rev', flagOf(version));
    const socket = dial(server.port);
    const secured = firstValueFrom(socket.pipe(tcp.on('secureConnect')));

    const answers = of('abc\n', 'xyz\n').pipe(tcp.through(socket), tcp.lines(), toArray());

    expect(await lastValueFrom(answers)).toEqual(['cba', 'zyx']);
    expect(await secured).toMatchObject({ protocol: version, authorized: true, peer: { subject: 'CN=localhost' } });
  });

  it.each([
    ['has expired', 'CERT_HAS_EXPIRED', () => start(files.expired), () => ({})],
    ['is for another name', 'ERR_TLS_CERT_ALTNAME_INVALID', () => start(files.other), () => ({})],
    [
      'a stranger has signed',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      () => start(files.server),
      () => ({ ca: files.stranger }),
    ],
  ])('is not talked to when its certificate is one that %s', async (_title, code, startIt, options) => {
    await using server = await startIt();

    await expect(lastValueFrom(dial(server.port, options()))).rejects.toMatchObject({ name: 'CertificateError', code });
    expect(server.program.stdout).not.toContain('CIPHER is');
  });

  it.each([
    ['TLSv1.2', 'handshake_failure', 'open'],
    ['TLSv1.3', 'certificate_required', 'read'],
  ])('refuses us without a certificate and takes us with one, in %s', async (version, alert, phase) => {
    const wants = ['-Verify', '1', '-verify_return_error', '-CAfile', files.caFile];
    await using server = await start(files.server, '-rev', flagOf(version), ...wants);
    const ask = (options: ClientOptions) => of('abc\n').pipe(tcp.through(dial(server.port, options)), tcp.lines());

    await expect(lastValueFrom(ask({}))).rejects.toMatchObject({ name: 'AlertError', alert, phase });
    expect(await lastValueFrom(ask({ cert: files.client.cert, key: files.client.key }))).toBe('cba');
    await server.program.printed(/^Peer certificate: CN = joe$/m, 'stderr');
  });

  it.each(versions)('is killed, and what has come is told to be cut, not ended, in %s', async (version) => {
    await using server = await start(files.server, flagOf(version));
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

  it.each(versions)('resumes the session of a context in %s', async (version) => {
    await using server = await start(files.server, flagOf(version));
    const context = createSecureContext({ ca: files.ca });
    const say = (text: string) =>
      of(text).pipe(tcp.through(connect({ host: '127.0.0.1', port: server.port, context })));

    await lastValueFrom(say('first\n'), { defaultValue: undefined });
    expect(server.program.stdout).not.toContain('Reused session-id');
    await lastValueFrom(say('second\n'), { defaultValue: undefined });
    await server.program.printed(/^Reused session-id\n(.*\n)*second\n/m);
  });
});
