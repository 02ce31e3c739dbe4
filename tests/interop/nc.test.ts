// OpenBSD's netcat: half-close in both directions.
import { randomBytes } from 'node:crypto';
import { connect, data, listen } from '@rxsock/core';
import { delayWhen, lastValueFrom, map, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { Program, run } from '../support/program.js';
import { turns } from '../support/turns.js';
import { serving } from './support.js';

const bytes = randomBytes(1_000_003);

test('receives an answer that begins after it has half-closed', async () => {
  const { address, errors } = await serving(listen(), (socket) =>
    socket.pipe(
      data(),
      toArray(),
      delayWhen(() => turns()),
      map((chunks) => Buffer.concat(chunks).reverse()),
    ),
  );

  const nc = await run('nc', ['-N', '127.0.0.1', `${address.port}`], bytes);

  expect(await nc.exited).toBe(0);
  expect(nc.bytes.equals(Buffer.from(bytes).reverse())).toBe(true);
  expect(errors).toEqual([]);
});

test('receives what we write after its own FIN has arrived', async () => {
  await using nc = new Program('nc', ['-N', '-l', '-v', '127.0.0.1', '0'], { input: 'first\n' });
  const [, port] = await nc.printed(/^Listening on \S+ (\d+)\n/m, 'stderr');
  const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });

  const heard = Buffer.concat(await lastValueFrom(socket.pipe(data(), toArray())));
  const state = socket.readyState;
  socket.next(bytes);
  const report = await socket.close();

  expect(heard.toString()).toBe('first\n');
  expect(state).toBe('writeOnly');
  expect(await nc.exited).toBe(0);
  expect(nc.bytes.equals(bytes)).toBe(true);
  expect(report).toMatchObject({ by: 'peer', how: 'fin', bytesRead: 6, bytesWritten: bytes.length, bytesUnsent: 0 });
});
