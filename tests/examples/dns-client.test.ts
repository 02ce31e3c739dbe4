// The DNS client with dnsmasq, and with servers that lie.
import dgram from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { decodeAnswer, encodeQuestion } from '../../examples/clients/codecs/dns.js';
import { type Listening, startOnFreePort } from '../support/listening-programs.js';
import { beforeAllWithPrograms } from '../support/need-program.js';
import { Program } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { example } from './support.js';

describe('with dnsmasq', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let dnsmasq: Listening;
  const many = Array.from({ length: 60 }, (_, i) => `192.0.2.${i + 1}`);
  beforeAllWithPrograms(async () => {
    folder = await temporaryFolder();
    const hosts = `${folder.path}/hosts`;
    await writeFile(hosts, many.map((address) => `${address} many.test\n`).join(''), { mode: 0o644 });
    const zone = ['--address=/one.test/192.0.2.1', '--address=/one.test/2001:db8::1', '--cname=alias.test,many.test'];
    const files = ['--conf-file=/dev/null', '--no-hosts', `--addn-hosts=${hosts}`, '--no-resolv', '--pid-file='];
    const flags = [
      '--no-daemon',
      '--user=root',
      '--txt-record=text.test,hello,world',
      '--local=/test/',
      '--log-queries',
    ];
    const listen = ['--listen-address=127.0.0.1', '--bind-interfaces'];
    dnsmasq = await startOnFreePort(
      (port) => new Program('dnsmasq', [...flags, ...zone, ...files, ...listen, `--port=${port}`]),
      /read .*hosts - 60 names/,
      'stderr',
    );
  });
  afterAll(async () => {
    await dnsmasq?.[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  test.each([
    ['www.one.test.', 'AAAA', 'www.one.test AAAA 2001:db8:0:0:0:0:0:1\n'],
    ['text.test', 'TXT', 'text.test TXT helloworld\n'],
  ])('prints the records of %s of type %s', async (name, type, expected) => {
    await using client = example('dns-client', '127.0.0.1', dnsmasq.port, name, '--type', type);

    expect(await client.exited).toBe(0);
    expect(client).toMatchObject({ stdout: expected, stderr: '' });
  });

  test('asks again over TCP if the answer was cut, and prints all of it', async () => {
    await using client = example('dns-client', '127.0.0.1', dnsmasq.port, 'alias.test');

    expect(await client.exited).toBe(0);
    const [alias, ...lines] = client.stdout.trimEnd().split('\n');
    expect(alias).toBe('alias.test CNAME many.test');
    expect(lines.sort()).toEqual(many.map((address) => `many.test A ${address}`).sort());
    expect(client.stderr).toBe('* the answer is too long for a datagram: asking over TCP\n');
    expect(dnsmasq.program.stderr.match(/query\[A\] alias\.test/g)).toHaveLength(2);
  });

  test.each([
    [['no.test'], 'No answer about no.test: there is no such name\n'],
    [['many.test', '--type', 'AAAA'], 'many.test has no records of type AAAA\n'],
  ])('reports %j in one line', async (args, expected) => {
    await using client = example('dns-client', '127.0.0.1', dnsmasq.port, ...args);

    expect(await client.exited).toBe(1);
    expect(client).toMatchObject({ stdout: '', stderr: expected });
  });
});

/** A server whose answers are made from each question. */
async function lying(answer: (question: Buffer) => readonly Buffer[]): Promise<number> {
  const server = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  server.on('message', (question, from) => {
    for (const message of answer(question)) server.send(message, from.port, from.address);
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** An answer with one address. */
function reply(question: Buffer, address: string): Buffer {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 6);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]);
  return Buffer.concat([header, question.subarray(12), record]);
}

test('ignores answers to questions of others, echoes and noise', async () => {
  const port = await lying((question) => {
    const otherId = reply(question, '192.0.2.66');
    otherId[1]! ^= 1;
    const otherName = reply(question, '192.0.2.67');
    otherName[13]! ^= 1;
    return [Buffer.alloc(0), Buffer.of(1), question, otherId, otherName, reply(question, '192.0.2.1')];
  });
  await using client = example('dns-client', '127.0.0.1', port, 'one.test');

  expect(await client.exited).toBe(0);
  expect(client).toMatchObject({ stdout: 'one.test A 192.0.2.1\n', stderr: '' });
});

test('prints nothing that a terminal would execute', async () => {
  const port = await lying((question) => {
    const address = reply(question, '1.2.3.4');
    const text = Buffer.from('\u0005\u001B[2J!', 'latin1');
    const header = Buffer.from(address.subarray(0, -16));
    return [Buffer.concat([header, Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, text.length]), text])];
  });
  await using client = example('dns-client', '127.0.0.1', port, 'one.test', '--type', 'TXT');

  expect(await client.exited).toBe(0);
  expect(client.stdout).toBe('one.test TXT \uFFFD[2J!\n');
});

test.each([
  ['ends inside a record', (message: Buffer) => message.subarray(0, -1)],
  ['has a name that points to itself', (message: Buffer) => message.fill(message.length - 16, message.length - 15)],
  ['is a question', (message: Buffer) => message.fill(0, 2, 3)],
  ['is empty', () => Buffer.alloc(0)],
])('does not read an answer that %s', (_title, spoil) => {
  const message = reply(encodeQuestion(1, 'one.test'), '192.0.2.1');
  expect(decodeAnswer(message).records).toEqual([{ name: 'one.test', type: 'A', data: '192.0.2.1' }]);

  expect(() => decodeAnswer(spoil(message))).toThrow('The server has sent something that is no answer');
});

test.each(['', '.', 'a..b', `${'a'.repeat(64)}.test`, `${'a.'.repeat(127)}`])('does not ask for %j', (name) => {
  expect(() => encodeQuestion(1, name)).toThrow('is not a name');
});

test('gives up a server that is silent', async () => {
  const port = await lying(() => []);
  await using client = example('dns-client', '127.0.0.1', port, 'one.test', '--timeout', '20');

  expect(await client.exited).toBe(1);
  expect(client.stderr).toBe(`No reply from 127.0.0.1:${port} after 3 attempts with a timeout of 20 ms\n`);
});
