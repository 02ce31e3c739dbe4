// tshark: reads what capture() has recorded, and the other way round: replay() plays what text2pcap has written.
import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connect, data, listen, on, relay, through, writeTo } from '@rxsock/core';
import { capture } from '@rxsock/core/capture';
import { replay, socketPair } from '@rxsock/core/testing';
import * as tls from '@rxsock/tls';
import * as udp from '@rxsock/udp';
import * as unix from '@rxsock/unix';
import { firstValueFrom, lastValueFrom, of, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { cert, key } from '../support/certificate.js';
import { run } from '../support/program.js';
import { record } from '../support/record.js';
import { testFolder } from '../support/temporary-folder.js';
import { serving } from './support.js';

/** What the two sides of a connection have sent. */
interface Followed {
  readonly client: Buffer;
  readonly server: Buffer;
}

/** Tells bytes from each other in one line. */
const digest = (bytes: Uint8Array) => `${bytes.length} bytes, ${createHash('sha1').update(bytes).digest('hex')}`;

/** Lets tshark follow the first streams of a file, and show one line of fields for each packet. */
async function tshark(file: string, streams: number, ...fields: string[]) {
  const follow = Array.from({ length: streams }, (_, stream) => ['-z', `follow,tcp,raw,${stream}`]).flat();
  const show = fields.flatMap((field) => ['-e', field]);
  const checks = ['tcp', 'udp', 'ip'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
  const args = [
    '-r',
    file,
    ...checks,
    '-T',
    'fields',
    '-E',
    'separator=|',
    '-e',
    '_ws.expert.message',
    ...show,
    ...follow,
  ];
  const program = await run('tshark', args);
  expect({ code: await program.exited, stderr: program.stderr.replace(/^Running as user.*\n/, '').trim() }).toEqual({
    code: 0,
    stderr: '',
  });
  const [packets = '', ...reports] = program.stdout.split(/^=+\nFollow: tcp,raw\n/m);
  const followed: Followed[] = [];
  for (const report of reports) {
    const stream = Number(/^Filter: tcp.stream eq (\d+)$/m.exec(report)?.[1]);
    const lines = report.split('\n').filter((line) => /^\t?[0-9a-f]+$/.test(line));
    const bytes = (isServer: boolean) =>
      Buffer.from(
        lines
          .filter((line) => line.startsWith('\t') === isServer)
          .join('')
          .replaceAll('\t', ''),
        'hex',
      );
    followed[stream] = { client: bytes(false), server: bytes(true) };
  }
  return {
    packets: packets
      .trim()
      .split('\n')
      .map((line) => line.split('|')),
    followed,
  };
}

/** A packet with a wrong checksum is one of these. */
const complaints = (packets: readonly string[][]) =>
  packets
    .flatMap(([expert = '']) => expert.split(','))
    .filter((message) => /bad|incorrect|malformed|retransmission/i.test(message));

test('follows several connections in one file, of which both ends are here, and shows the events as comments', async () => {
  const file = path.join(await testFolder(), 'trace.pcapng');
  const { address } = await serving(listen(), (socket) => socket.pipe(data()));
  const questions = [Buffer.from('hello'), randomBytes(300_000), randomBytes(70_001)];
  const trace = await capture('all', file);
  const answers = await Promise.all(
    questions.map((question) => lastValueFrom(of(question).pipe(through(connect({ port: address.port })), toArray()))),
  );
  const aborted = connect({ port: address.port });
  const { ended } = record(aborted.pipe(data()));
  await aborted.write('never mind');
  const release = aborted.hold('a slow consumer');
  release();
  aborted.error(new Error('enough'));
  await ended;
  await trace.close();

  const { packets, followed } = await tshark(file, 4, 'tcp.stream', 'tcp.flags.str', 'frame.comment', 'tcp.dstport');
  expect(complaints(packets)).toEqual([]);
  expect(
    followed
      .slice(0, 3)
      .map(({ client }) => digest(client))
      .sort(),
  ).toEqual(questions.map(digest).sort());
  for (const { client, server } of followed.slice(0, 3)) expect(server.equals(client)).toBe(true);
  expect(answers.map((chunks) => Buffer.concat(chunks).length)).toEqual(questions.map(({ length }) => length));
  expect(followed[3]?.client.toString()).toBe('never mind');
  const ofClient = packets.filter(([, stream, , , to]) => stream === '3' && to === `${address.port}`);
  const comments = ofClient.map(([, , , comment]) => comment).filter(Boolean);
  expect(comments).toEqual([
    expect.stringMatching(/^tcp: 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+$/),
    'hold: a slow consumer',
    'release',
    expect.stringMatching(/^error: ERR_SOCKET_ABORTED: .*enough/),
    expect.stringMatching(/^close: abort by local, \d+ bytes read, 10 written, 0 unsent, \d+ ms$/),
  ]);
  expect(ofClient.filter(([, , flags]) => flags?.includes('R'))).toHaveLength(1);
  expect(trace.packets).toBe(packets.length);
});

test('follows UNIX sockets and TLS as plaintext, and shows datagrams', async () => {
  const folder = await testFolder();
  const file = path.join(folder, 'trace.pcapng');
  const [first, second] = [randomBytes(1000), randomBytes(1000)];
  await using trace = await capture('all', file);

  const { address: place } = await serving(unix.listen({ path: path.join(folder, 'echo.sock') }), (socket) =>
    socket.pipe(data()),
  );
  await lastValueFrom(of(first).pipe(through(unix.connect({ path: place.path })), toArray()));

  const { address: secure } = await serving(tls.listen({ key, cert }), (socket) => socket.pipe(data()));
  const client = tls.connect({ host: 'localhost', port: secure.port, ca: cert });
  await lastValueFrom(of(second).pipe(through(client), toArray()));

  const bound = udp.bind();
  const arrived = firstValueFrom(bound.pipe(on('message')));
  const { address } = await firstValueFrom(bound.pipe(on('listening')));
  const sender = udp.connect({ host: '127.0.0.1', port: address.port });
  await sender.send('a datagram');
  await arrived;
  await Promise.all([bound.close(), sender.close()]);
  await trace.close();

  const { packets, followed } = await tshark(file, 3, 'tcp.stream', 'udp.length', 'frame.comment', 'udp.payload');
  expect(complaints(packets)).toEqual([]);
  // A UNIX socket has no address by which its two ends could be told to belong together.
  for (const { client: sent, server: answered } of followed.slice(0, 2))
    expect([digest(sent), digest(answered)]).toEqual([digest(first), digest(first)]);
  expect([followed[2]!.client, followed[2]!.server].map(digest)).toEqual([digest(second), digest(second)]);
  const comments = packets.map(([, , , comment]) => comment);
  expect(comments).toContain(`unix: to ${place.path}`);
  expect(comments.filter((comment) => comment?.startsWith('tls: '))).toHaveLength(1);
  const datagrams = packets.filter(([, , length]) => length).map(([, , , , payload]) => payload);
  expect(datagrams).toEqual(Array(2).fill(Buffer.from('a datagram').toString('hex')));
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'decrypts the %s that a forwarder has passed on, by keys in the file',
  async (version) => {
    const folder = await testFolder();
    const [raw, file, keys] = ['raw.pcapng', 'trace.pcapng', 'keys.log'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    const lines: Buffer[] = [];
    const secured = tls.listen({ key, cert, maxVersion: version, keyLog: (line) => lines.push(line) });
    const { address: behind } = await serving(secured, (socket) => socket.pipe(data()));
    const forwarder = listen();
    const { address } = await serving(forwarder, (client) => relay(client, connect({ port: behind.port })));
    const trace = await capture(forwarder, raw);
    const client = tls.connect({ host: 'localhost', port: address.port, ca: cert, minVersion: version });
    await lastValueFrom(of('a secret').pipe(through(client), toArray()));
    await trace.close();
    await writeFile(keys, Buffer.concat(lines));

    expect(await (await run('editcap', ['--inject-secrets', `tls,${keys}`, raw, file])).exited).toBe(0);
    const decode = ['-d', `tcp.port==${address.port},tls`];
    const program = await run('tshark', ['-r', file, ...decode, '-q', '-z', 'follow,tls,raw,0']);
    expect(await program.exited).toBe(0);
    const sent = Buffer.from('a secret').toString('hex');
    const followed = program.stdout.split('\n').filter((line) => /^\t?[0-9a-f]+$/.test(line));
    // Which side comes first depends on the ports.
    expect(followed.sort()).toEqual([`\t${sent}`, sent]);
  },
);

test('follows each file of a rotated capture', async () => {
  const folder = await testFolder();
  const file = path.join(folder, 'trace.pcapng');
  const [client, server] = socketPair();
  const sent: Buffer[] = [];
  {
    await using _ = await capture(client, file, { maxBytes: 131_072, rotate: 2 });
    const arrived = record(server.pipe(data()));
    client.pipe(data()).subscribe();
    for (let index = 0; index < 3; index++) {
      sent.push(randomBytes(60_000));
      await client.write(sent[index]!);
    }
    client.complete();
    server.complete();
    await arrived.ended;
  }
  const all = Buffer.concat(sent);
  let end = all.length;
  for (const name of ['trace.pcapng', 'trace.1.pcapng']) {
    const { packets, followed } = await tshark(path.join(folder, name), 1, 'frame.comment');
    expect(complaints(packets)).toEqual([]);
    const bytes = followed[0]!.client;
    expect(bytes.length, name).toBeGreaterThan(30_000);
    expect(all.subarray(end - bytes.length, end).equals(bytes), name).toBe(true);
    end -= bytes.length;
    expect(packets[0]?.[1]).toBe('duplex:, begun earlier');
  }
  expect(end).toBe(0);
});

test('replays what another program has written, over Ethernet and without a handshake', async () => {
  const file = path.join(await testFolder(), 'hex.pcapng');
  const dump = [
    'I 2026-01-01T00:00:00.000000000Z',
    '000000 68 65 6c 6c 6f',
    'O 2026-01-01T00:00:00.020000000Z',
    '000000 77 6f 72 6c 64',
    '',
  ];
  const text2pcap = await run(
    'text2pcap',
    ['-q', '-D', '-t', 'ISO', '-4', '10.0.0.1,10.0.0.2', '-T', '40000,80', '-', file],
    dump.join('\n'),
  );
  expect(await text2pcap.exited, text2pcap.stderr).toBe(0);
  const server = await replay(file, { side: 'server' });
  const [client, peer] = socketPair();
  server(peer).pipe(writeTo(peer)).subscribe();
  const answer = record(client.pipe(data()));
  await client.write('hello');
  client.complete();
  await answer.ended;
  expect(answer.log).toEqual(['world', 'complete']);
});
