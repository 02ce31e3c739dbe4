// GnuTLS, which reports a stream that does not end with close_notify.
import * as tcp from '@rxsock/core';
import { connect, listen } from '@rxsock/tls';
import { delayWhen, lastValueFrom, map, of, reduce, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startOnFreePort } from '../support/listening-programs.js';
import { Program, run } from '../support/program.js';
import { turns } from '../support/turns.js';
import { serving } from './support.js';
import { type CertificateFiles, certificateFiles } from './tls.js';

let files: CertificateFiles;
beforeAll(async () => {
  files = await certificateFiles();
});
afterAll(() => files?.[Symbol.asyncDispose]());

const versions = ['VERS-TLS1.2', 'VERS-TLS1.3'] as const;

describe.each(versions)('gnutls-cli in %s', (version) => {
  const client = (port: number, input: string, ...args: string[]) =>
    run('gnutls-cli', [`--priority=NORMAL:-VERS-ALL:+${version}`, `--port=${port}`, ...args, '127.0.0.1'], input);

  test('verifies our certificate, half-closes, and receives a whole answer', async () => {
    const { address, errors, drops } = await serving(listen(files.server), (socket) =>
      socket.pipe(
        tcp.data(),
        toArray(),
        delayWhen(() => turns()),
        map((chunks) => Buffer.concat(chunks).reverse()),
      ),
    );

    const program = await client(address.port, 'hello', `--x509cafile=${files.caFile}`);

    // It exits with 1 when a stream ends without close_notify.
    expect(await program.exited).toBe(0);
    expect(program.stdout).toMatch(/^- Status: The certificate is trusted\./m);
    expect(program.stdout).toContain('olleh');
    expect([...errors, ...drops]).toEqual([]);
  });

  test('reports an answer that fails half-way', async () => {
    const reason = new Error('no more');
    const { address, errors } = await serving(listen(files.server), async function* (socket) {
      using requests = tcp.reader(socket);
      await requests.readLine();
      yield 'only a part';
      throw reason;
    });

    const program = await client(address.port, 'hello\n', `--x509cafile=${files.caFile}`);

    expect(await program.exited).toBe(1);
    expect(errors).toEqual([reason]);
  });

  test('does not trust an unknown authority, which is a drop', async () => {
    const { address, drops } = await serving(listen(files.server), (socket) => socket);

    const program = await client(address.port, 'hello\n', `--x509cafile=${files.strangerFile}`);

    expect(await program.exited).toBe(1);
    expect(program.stdout).toContain('The certificate issuer is unknown');
    await expect.poll(() => drops).toMatchObject([{ reason: 'handshake', error: { name: 'AlertError' } }]);
  });
});

test.each(versions)('gnutls-serv sends back what we send, and ends with close_notify, in %s', async (version) => {
  const { certFile, keyFile } = files.server;
  const flags = [`--priority=NORMAL:-VERS-ALL:+${version}`, `--x509certfile=${certFile}`, `--x509keyfile=${keyFile}`];
  await using server = await startOnFreePort(
    (port) => new Program('gnutls-serv', ['--echo', '--disable-client-cert', `--port=${port}`, ...flags]),
    /IPv4.*done/,
    'stderr',
  );
  const text = 'hello\n'.repeat(1000);

  const echo = of(text).pipe(
    tcp.through(connect({ host: '127.0.0.1', port: server.port, ca: files.ca })),
    reduce((all, bytes) => all + bytes, ''),
  );

  expect(await lastValueFrom(echo)).toBe(text);
  await server.program[Symbol.asyncDispose]();
  expect(server.program.stdout + server.program.stderr).not.toContain('non-properly terminated');
});
