// The TLS examples, with OpenSSL and with each other: echoes, STARTTLS, and rejected certificates.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Program } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { Client, type Example, example } from './support.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let ca: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  ca = path.join(folder.path, 'ca.pem');
});
afterEach(() => folder[Symbol.asyncDispose]());

/** OpenSSL's words, and the advice that Node adds to them from version 24 on. */
const selfSigned =
  'self-signed certificate(; if the root CA is installed locally, try running Node.js with --use-system-ca)?';

/** OpenSSL as a client that ends if the server is not trusted. */
function openssl(port: number, ...flags: string[]): Program {
  const trust = ['-quiet', '-no_ign_eof', '-verify_return_error', '-CAfile', ca, '-verify_hostname', 'localhost'];
  return new Program('openssl', ['s_client', ...trust, ...flags, '-connect', `127.0.0.1:${port}`]);
}

/** Runs a client to its end with this input. */
async function run(client: Example, input: string | Buffer = ''): Promise<Example> {
  client.stdin.end(input);
  await client.exited;
  return client;
}

describe('tls-echo-server', () => {
  test('sends back to OpenSSL what it receives', async () => {
    await using server = example('tls-echo-server', '--ca', ca);
    await using client = openssl(await server.port());
    client.stdin.write('hello\n');
    await client.printed(/^hello\n/);
    client.stdin.end('Q\n');

    expect(await client.exited).toBe(0);
    expect(client.stdout).toBe('hello\n');
    expect(await server.interrupt()).toBe(0);
    expect(server.stderr).toBe('');
  });

  test('reports a client that does not speak TLS, and continues', async () => {
    await using server = example('tls-echo-server', '--ca', ca);
    const port = await server.port();
    using stranger = new Client(port);
    stranger.socket.end('GET / HTTP/1.0\r\n\r\n');
    await server.printed(/^A connection was dropped: The TLS handshake .* failed: .*\n$/, 'stderr');

    await using client = await run(example('tls-client', '--ca', ca, 'localhost', port), 'hello\n');
    expect(client.stdout).toBe('hello\n');
  });

  test('reports in one line that it cannot write the certificate', async () => {
    await using server = example('tls-echo-server', '--ca', path.join(folder.path, 'no', 'folder'));

    expect(await server.exited).toBe(1);
    expect(server.stderr).toMatch(/^ENOENT: .*folder'\n$/);
  });
});

describe('tls-client', () => {
  test('gets all of its input back after it has half-closed, whatever the bytes', async () => {
    await using server = example('tls-echo-server', '--ca', ca);
    const bytes = randomBytes(3_000_017);
    await using client = await run(example('tls-client', '--ca', ca, '127.0.0.1', await server.port()), bytes);

    expect(await client.exited).toBe(0);
    expect(client.bytes.equals(bytes)).toBe(true);
    expect(client.stderr).toBe('');
    expect(await server.interrupt()).toBe(0);
    expect(server.stderr).toBe('');
  });

  test('rejects a server whose certificate it was not given', async () => {
    await using server = example('tls-echo-server');
    const port = await server.port();
    await using client = await run(example('tls-client', 'localhost', port), 'a secret');

    expect(await client.exited).toBe(1);
    expect(client.stdout).toBe('');
    expect(client.stderr).toMatch(new RegExp(`^The certificate of localhost:${port} was refused: ${selfSigned}\n$`));
  });

  test('ends with the server even if its input has not ended', async () => {
    await using server = example('tls-echo-server', '--ca', ca, '--drain', 0);
    await using client = example('tls-client', '--ca', ca, 'localhost', await server.port());
    client.stdin.write('hello\n');
    await client.printed(/^hello\n$/);

    expect(await server.interrupt()).toBe(0);
    expect(await client.exited).toBe(1);
    expect(client.stderr).toMatch(/^.* reset the connection.*\n$/);
  });

  test('resets the connection at Ctrl-C', async () => {
    await using server = example('tls-echo-server', '--ca', ca, '--drain', 20_000);
    await using client = example('tls-client', '--ca', ca, 'localhost', await server.port());
    client.stdin.write('hello\n');
    await client.printed(/^hello\n$/);

    expect(await client.interrupt()).toBe(0);
    expect(client.stderr).toBe('');
    // The input may have been cut, so the server must not take it for the whole.
    await server.printed(/^127\.0\.0\.1:\d+ reset the connection.*\n$/, 'stderr');
    expect(await server.interrupt()).toBe(0);
  });
});

describe('starttls-server', () => {
  test('lets OpenSSL start with STARTTLS', async () => {
    await using server = example('starttls-server', '--ca', ca);
    await using client = openssl(await server.port(), '-starttls', 'smtp', '-crlf');
    client.stdin.write('EHLO me\nSTARTTLS\nNOOP\n');
    await client.printed(/250 localhost\r\n502 Not implemented\r\n250 OK\r\n$/);
    client.stdin.write('quit\n');

    expect(await client.exited).toBe(0);
    expect(client.stdout).toMatch(/\n221 Bye\r\n$/);
    expect(await server.interrupt()).toBe(0);
    expect(server.stderr).toBe('');
  });

  test('does not continue if plain bytes follow STARTTLS', async () => {
    await using server = example('starttls-server', '--ca', ca);
    using client = new Client(await server.port());
    client.socket.write('EHLO me\r\nSTARTTLS\r\nMAIL FROM:<somebody in between>\r\n');

    expect(await client.ended).toBe('fin');
    client.socket.end();
    expect(client.text).toBe('220 localhost ready\r\n250-localhost\r\n250 STARTTLS\r\n220 Go ahead\r\n');
    expect(await server.interrupt()).toBe(0);
    expect(server.stderr).toMatch(/^The connection to 127\.0\.0\.1:\d+ cannot be upgraded: .*\n$/);
  });
});

describe('starttls-client', () => {
  test('asks again over TLS', async () => {
    await using server = example('starttls-server', '--ca', ca);
    await using client = await run(example('starttls-client', '--ca', ca, 'localhost', await server.port()));

    expect(await client.exited).toBe(0);
    expect(client.stdout).toBe(
      '< 220 localhost ready\n> EHLO localhost\n< 250-localhost\n< 250 STARTTLS\n> STARTTLS\n< 220 Go ahead\n' +
        '* TLSv1.3, TLS_AES_256_GCM_SHA384\n> EHLO localhost\n< 250 localhost\n> QUIT\n< 221 Bye\n',
    );
    expect(client.stderr).toBe('');
    expect(await server.interrupt()).toBe(0);
    expect(server.stderr).toBe('');
  });

  test('sends nothing more to a server with a certificate for another name', async () => {
    const others = path.join(folder.path, 'other.pem');
    await using other = example('tls-echo-server', '--ca', others);
    await other.port();
    expect(await readFile(others, 'utf8')).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    await using server = example('starttls-server');
    await using client = await run(example('starttls-client', '--ca', others, 'localhost', await server.port()));

    expect(await client.exited).toBe(1);
    expect(client.stdout).toMatch(/< 220 Go ahead\n$/);
    expect(client.stderr).toMatch(new RegExp(`^The certificate of .* was refused: ${selfSigned}\n$`));
  });

  test.each([
    ['does not offer STARTTLS', '220 ready\r\n250-localhost\r\n250 SIZE\r\n', 'The server does not offer STARTTLS\n'],
    ['refuses it', '220 ready\r\n250 STARTTLS\r\n454 Not now\r\n', 'The server refused: 454 Not now\n'],
    ['leaves', '220 ready\r\n', 'The server ended the connection in the middle of the dialogue\n'],
  ])('sends nothing in the clear to a server that %s', async (_title, replies, expected) => {
    await using server = new Program('socat', ['-d', '-d', '-t5', 'TCP-LISTEN:0,bind=127.0.0.1', '-'], {
      input: replies,
    });
    const [, port = ''] = await server.printed(/listening on AF=2 127\.0\.0\.1:(\d+)/, 'stderr');
    await using client = await run(example('starttls-client', 'localhost', port));

    expect(await client.exited).toBe(1);
    expect(client.stderr).toBe(expected);
    expect(await server.exited).toBe(0);
    expect(server.stdout).toMatch(/^(EHLO localhost\r\n)?(STARTTLS\r\n)?$/);
  });
});
