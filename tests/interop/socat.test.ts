// socat: programs behind it that answer at the end of their input, resets, and a client that stops reading.
import { randomBytes } from 'node:crypto';
import { connect, data, flowFrom, listen, relay, type Socket, through } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import { lastValueFrom, of, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { socatListener } from '../support/listening-programs.js';
import { Program, run } from '../support/program.js';
import { turns } from '../support/turns.js';
import { reverse, serving } from './support.js';
import { type CertificateFiles, certificateFiles } from './tls.js';

const unsorted = Array.from({ length: 20_000 }, () => `${randomBytes(16).toString('hex')}\n`);
const sorted = [...unsorted].sort().join('');

test('answers at the end of its input: through() sends FIN and receives the whole answer', async () => {
  await using sort = await socatListener('', 'EXEC:"env LC_ALL=C sort"', '-t', '20');
  const answer = of(unsorted.join('')).pipe(through(connect({ host: '127.0.0.1', port: sort.port })), toArray());

  expect(Buffer.concat(await lastValueFrom(answer)).toString()).toBe(sorted);
  expect(await sort.program.exited).toBe(0);
});

test('half-closes through relay(), which forwards each FIN', async () => {
  await using sort = await socatListener('', 'EXEC:"env LC_ALL=C sort"', '-t', '20');
  const { address, errors } = await serving(listen(), (socket) =>
    relay(socket, connect({ host: '127.0.0.1', port: sort.port })),
  );

  const client = await run('socat', ['-t', '20', '-', `TCP:127.0.0.1:${address.port}`], unsorted.join(''));

  expect(await client.exited).toBe(0);
  expect(client.stdout).toBe(sorted);
  expect(errors).toEqual([]);
});

test('receives a late answer after it has half-closed', async () => {
  const { address, errors } = await serving(listen(), reverse);
  const client = await run('socat', ['-t', '20', '-', `TCP:127.0.0.1:${address.port}`], 'late');

  expect(await client.exited).toBe(0);
  expect(client.stdout).toBe('etal');
  expect(errors).toEqual([]);
});

test('resets behind its bytes, which is never taken for an end', async () => {
  for (let trial = 0; trial < 20; trial++) {
    await using socat = await socatListener(',linger=0,shut-close', 'EXEC:"echo cut"', '-U');
    const socket = connect({ host: '127.0.0.1', port: socat.port });

    await expect(lastValueFrom(socket.pipe(data(), toArray()))).rejects.toMatchObject({ code: 'ECONNRESET' });
  }
});

test('stops reading, which holds the source of its answer, and continues', async () => {
  const piece = Buffer.alloc(65_536);
  const total = 1024 * piece.length;
  let given = 0;
  const source = flowFrom(
    (function* () {
      for (; given < total; given += piece.length) yield piece;
    })(),
  );
  let accepted: Socket | undefined;
  const { address, errors } = await serving(listen(), (socket) => {
    accepted = socket;
    client.kill('SIGSTOP');
    return source;
  });
  await using client = new Program('socat', ['-u', `TCP:127.0.0.1:${address.port}`, 'EXEC:"wc -c"']);

  while (!accepted?.writableLength) await turns(1);
  await turns();
  const heldAt = given;
  await turns();

  expect(given).toBe(heldAt);
  expect(given).toBeLessThan(total / 2);
  client.kill('SIGCONT');
  expect(await client.exited).toBe(0);
  expect(client.stdout.trim()).toBe(`${total}`);
  expect(errors).toEqual([]);
});

describe('over TLS', () => {
  let files: CertificateFiles;
  beforeAll(async () => {
    files = await certificateFiles();
  });
  afterAll(() => files?.[Symbol.asyncDispose]());

  test('half-closes, and receives a late answer', async () => {
    const { address, errors, drops } = await serving(tls.listen(files.server), reverse);

    const target = `OPENSSL:127.0.0.1:${address.port},cafile=${files.caFile},verify=1`;
    const client = await run('socat', ['-t', '20', '-', target], 'late');

    expect(await client.exited).toBe(0);
    expect(client.stdout).toBe('etal');
    expect([...errors, ...drops]).toEqual([]);
  });

  test('answers at the end of its input, our close_notify', async () => {
    const { certFile, keyFile } = files.server;
    const listener = `OPENSSL-LISTEN:0,bind=127.0.0.1,cert=${certFile},key=${keyFile},verify=0`;
    await using sort = new Program('socat', ['-d', '-d', '-t', '20', listener, 'EXEC:"env LC_ALL=C sort"']);
    const [, port] = await sort.printed(/listening on AF=2 127\.0\.0\.1:(\d+)/, 'stderr');

    const socket = tls.connect({ host: '127.0.0.1', port: Number(port), ca: files.ca });
    const answer = of(unsorted.join('')).pipe(through(socket), toArray());

    expect(Buffer.concat(await lastValueFrom(answer)).toString()).toBe(sorted);
  });
});
