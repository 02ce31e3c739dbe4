// curl: our HTTP answers, whole, cut, and several on one connection.
import { createHash, randomBytes } from 'node:crypto';
import { listen, on, reader } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import { map, take } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { curl, http } from './http.js';
import { serving } from './support.js';
import { type CertificateFiles, certificateFiles } from './tls.js';

test('gets an answer with a Content-Length, and only its header for HEAD', async () => {
  const { address, errors } = await serving(listen(), http);
  const url = `http://127.0.0.1:${address.port}/you`;
  const header = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\n';

  const get = await curl('', '--include', url);
  expect(await get.exited).toBe(0);
  expect(get.stdout).toBe(`${header}hello /you\n`);

  const head = await curl('', '--head', url);
  expect(await head.exited).toBe(0);
  expect(head.stdout).toBe(header);
  expect(errors).toEqual([]);
});

test('asks twice on one connection', async () => {
  const { address } = await serving(listen(), http);
  const url = `http://127.0.0.1:${address.port}`;

  const twice = await curl('', '--write-out', '%{num_connects} ', `${url}/one`, `${url}/two`);

  expect(await twice.exited).toBe(0);
  expect(twice.stdout).toBe('hello /one\n1 hello /two\n0 ');
});

test('uploads megabytes after it has been told to continue', async () => {
  const bytes = randomBytes(8_000_003);
  const { address, errors } = await serving(listen(), http);
  const expected = createHash('sha256').update(bytes).digest('hex');
  const url = `http://127.0.0.1:${address.port}/file`;

  const post = ['--data-binary', '@-', '--header', 'Expect: 100-continue', '--expect100-timeout', '60'];
  const sent = await curl(bytes, ...post, url);

  expect(await sent.exited).toBe(0);
  expect(sent.stdout).toBe(expected);
  expect(errors).toEqual([]);
});

test.each(['', 'Content-Length: 100\r\n'])(
  'sees a reset, not a FIN, if an answer fails half-way (%j)',
  async (header) => {
    const reason = new Error('no more');
    const { address, errors } = await serving(listen(), async function* (socket) {
      using requests = reader(socket);
      await requests.readUntil('\r\n\r\n');
      yield `HTTP/1.1 200 OK\r\n${header}\r\nonly a part`;
      throw reason;
    });

    const get = await curl('', `http://127.0.0.1:${address.port}/`);

    // CURLE_RECV_ERROR: behind a FIN it would be 0, or 18 if it knows the length.
    expect(await get.exited).toBe(56);
    expect(errors).toEqual([reason]);
  },
);

describe('over TLS', () => {
  let files: CertificateFiles;
  beforeAll(async () => {
    files = await certificateFiles();
  });
  afterAll(() => files?.[Symbol.asyncDispose]());

  test.each(['1.2', '1.3'])('verifies our certificate by its name, in TLS %s', async (version) => {
    const { address, errors, drops } = await serving(tls.listen({ ...files.server, alpn: ['http/1.1'] }), http);
    const only = [`--tlsv${version}`, '--tls-max', version, '--cacert', files.caFile, '--verbose'];

    const get = await curl(
      '',
      ...only,
      '--resolve',
      `localhost:${address.port}:127.0.0.1`,
      `https://localhost:${address.port}/you`,
    );

    expect(await get.exited).toBe(0);
    expect(get.stdout).toBe('hello /you\n');
    expect(get.stderr).toContain(`SSL connection using TLSv${version}`);
    expect(get.stderr).toContain('ALPN: server accepted http/1.1');
    expect([...errors, ...drops]).toEqual([]);
  });

  test.each([
    ['has expired', () => files.expired, () => files.caFile],
    ['is for another name', () => files.other, () => files.caFile],
    ['an untrusted authority has signed', () => files.server, () => files.strangerFile],
  ])('does not accept a certificate that %s', async (_title, shown, trusted) => {
    const { address, errors } = await serving(tls.listen(shown()), http);

    const get = await curl('', '--cacert', trusted(), `https://127.0.0.1:${address.port}/`);

    // CURLE_PEER_FAILED_VERIFICATION
    expect(await get.exited).toBe(60);
    expect(get.stdout).toBe('');
    expect(errors).toEqual([]);
  });

  test('shows its own certificate, whose subject we see', async () => {
    const { address } = await serving(tls.listen({ ...files.server, ca: files.ca, requestCert: true }), (socket) =>
      socket.pipe(
        on('secureConnect'),
        take(1),
        map(({ authorized, peer }) => `HTTP/1.0 200 OK\r\n\r\n${authorized} ${peer?.subject}`),
      ),
    );
    const mine = ['--cert', files.client.certFile, '--key', files.client.keyFile, '--cacert', files.caFile];

    const get = await curl('', ...mine, `https://127.0.0.1:${address.port}/`);

    expect(await get.exited).toBe(0);
    expect(get.stdout).toBe('true CN=joe');
  });
});
