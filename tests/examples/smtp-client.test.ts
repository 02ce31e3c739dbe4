// The mail client with aiosmtpd, and with servers that want its secrets in plain text.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CertificateAuthority, certificateAuthority } from '../support/certificates.js';
import type { Listening } from '../support/listening-programs.js';
import { beforeAllWithPrograms } from '../support/need-program.js';
import { rawServer } from '../support/raw-peers.js';
import { startSmtpd } from '../support/smtpd.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Example, exampleWith } from './support.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let authority: CertificateAuthority;
let ca: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  ca = path.join(folder.path, 'ca.pem');
  authority = await certificateAuthority();
  await writeFile(ca, authority.cert);
});
afterAll(() => folder[Symbol.asyncDispose]());

/** Writes a mail to a file. */
async function mailFile(name: string, text: string): Promise<string> {
  const file = path.join(folder.path, name);
  await writeFile(file, text, 'latin1');
  return file;
}

interface Sending {
  readonly password?: string;
  readonly user?: string;
  readonly to?: readonly string[];
}

function sending(
  port: number,
  mails: readonly string[],
  { password = 'secret', user = 'ann', to }: Sending = {},
): Example {
  const envelope = ['--from', 'ann@x.test', '--to', ...(to ?? ['bob@x.test', 'eve@x.test']), '--user', user];
  const env = { SMTP_PASSWORD: password };
  return exampleWith({ env }, 'smtp-client', 'localhost', port, ...mails, '--ca', ca, ...envelope);
}

describe('with aiosmtpd', () => {
  let server: Listening;
  beforeAllWithPrograms(async () => {
    server = await startSmtpd(folder.path, await authority.issue({ names: ['localhost'] }), true);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test('sends mails after STARTTLS and a login, over few connections, whatever is in them', async () => {
    const texts = ['Subject: one\n\n.\n..\r\n.hidden\nthe end', 'Subject: zw\xf6lf\r\n\r\n', 'Subject: 3\n\nlast\n'];
    const files = await Promise.all(texts.map((text, i) => mailFile(`${i}.eml`, text)));
    await using client = sending(server.port, files);

    expect(await client.exited).toBe(0);
    expect(client.stderr).toBe('');
    expect(client.stdout.trimEnd().split('\n').sort()).toEqual(files.map((file) => `${file}: 250 Accepted`));
    const { stdout } = server.program;
    expect(stdout.match(/^mail ann ann@x\.test bob@x\.test eve@x\.test$/gm)).toHaveLength(3);
    expect(stdout.match(/^connection$/gm)).toHaveLength(2);
    for (const mail of [
      "b'Subject: one\\r\\n\\r\\n.\\r\\n..\\r\\n.hidden\\r\\nthe end\\r\\n'",
      "b'Subject: zw\\xf6lf\\r\\n\\r\\n'",
      "b'Subject: 3\\r\\n\\r\\nlast\\r\\n'",
    ]) {
      expect(stdout).toContain(`\n${mail}\n`);
    }
  });

  test('reports a wrong password in one line', async () => {
    await using client = sending(server.port, [await mailFile('a.eml', 'hi')], { password: 'wrong' });

    expect(await client.exited).toBe(1);
    expect(client.stderr).toMatch(/^The setup of the connection failed: The server refused: 535 .*\n$/);
    await server.program.printed(/^login ann False$/m);
  });

  test('reports a receiver that the server refuses in one line', async () => {
    await using client = sending(server.port, [await mailFile('a.eml', 'hi')], { to: ['nobody@x.test'] });

    expect(await client.exited).toBe(1);
    expect(client.stderr).toBe('The server refused: 550 No such user\n');
  });

  test('lets the server throw away a mail that it could not send whole', async () => {
    await using client = sending(server.port, [
      await mailFile('b.eml', 'Subject: half\n\nOne\rMAIL FROM:<eve@x.test>\n'),
    ]);

    expect(await client.exited).toBe(1);
    expect(client.stderr).toBe('The mail has a CR without LF\n');
    expect(server.program.stdout).not.toContain('half');
  });
});

test('sends nothing but EHLO to aiosmtpd without STARTTLS', async () => {
  await using server = await startSmtpd(folder.path, undefined, false);
  await using client = sending(server.port, [await mailFile('a.eml', 'hi')]);

  expect(await client.exited).toBe(1);
  expect(client.stderr).toBe('The setup of the connection failed: The server does not offer STARTTLS\n');
  expect(server.program.stdout).toBe(`listening on ${server.port}\nconnection\n`);
});

test.each([
  ['refuses it', '454 Not now\r\n', /The server refused: 454 Not now\n$/],
  [
    'sends more than its reply in plain text',
    '220 Go\r\n250 AUTH PLAIN\r\n',
    /cannot be upgraded: it has received bytes that nobody has read\n$/,
  ],
  ['leaves', '', /The server has ended the connection\n$/],
])('sends no secret to a server that offers STARTTLS and %s', async (_title, reply, expected) => {
  const server = await rawServer();
  await using client = sending(server.port, [await mailFile('a.eml', 'hi')]);
  const peer = await server.next();
  let received = '';
  peer
    .setEncoding('utf8')
    .resume()
    .on('data', (text: string) => {
      received += text;
    });
  peer.write(`220 ready\r\n250-x\r\n250 STARTTLS\r\n${reply}`);
  if (reply === '') peer.end();

  expect(await client.exited).toBe(1);
  expect(client.stderr).toMatch(expected);
  expect(received).toMatch(/^(EHLO localhost\r\n(STARTTLS\r\n)?)?$/);
});
