// Programs over UNIX sockets: paths, abstract names, half-close.
import { randomBytes } from 'node:crypto';
import { through } from '@rxsock/core';
import { connect, listen } from '@rxsock/unix';
import { lastValueFrom, of, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { Program, run } from '../support/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { curl, http } from './http.js';
import { reverse, serving } from './support.js';

const bytes = randomBytes(1_000_003);

test('curl receives pages from a path', async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/http`;
  const { errors } = await serving(listen({ path }), http);

  const get = await curl('', '--unix-socket', path, 'http://localhost/one', 'http://localhost/two');

  expect(await get.exited).toBe(0);
  expect(get.stdout).toBe('hello /one\nhello /two\n');
  expect(errors).toEqual([]);
});

test.each([
  ['nc', (path: string) => ['-N', '-U', path]],
  ['socat', (path: string) => ['-t', '20', '-', `UNIX-CONNECT:${path}`]],
])('%s receives an answer that begins after it has half-closed', async (program, argsFor) => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/reverse`;
  const { errors } = await serving(listen({ path }), reverse);

  const client = await run(program, argsFor(path), bytes);

  expect(await client.exited).toBe(0);
  expect(client.bytes.equals(Buffer.from(bytes).reverse())).toBe(true);
  expect(errors).toEqual([]);
});

test('a program behind socat answers when through() has half-closed', async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/sort`;
  await using sort = new Program('socat', ['-d', '-d', '-t', '20', `UNIX-LISTEN:${path}`, 'EXEC:sort']);
  await sort.printed(/listening on AF=1/, 'stderr');

  const answer = of('b\nc\na\n').pipe(through(connect({ path })), toArray());

  expect(Buffer.concat(await lastValueFrom(answer)).toString()).toBe('a\nb\nc\n');
  expect(await sort.exited).toBe(0);
});

test('socat finds an abstract name of ours by its full length, as C programs write it', async () => {
  const abstract = `rxsock-${randomBytes(8).toString('hex')}`;
  const { errors } = await serving(listen({ abstract }), reverse);

  const full = await run('socat', ['-t', '20', '-', `ABSTRACT-CONNECT:${abstract},unix-tightsocklen=0`], 'full');
  const tight = await run('socat', ['-t', '20', '-', `ABSTRACT-CONNECT:${abstract},unix-tightsocklen=1`], 'tight');

  expect(await full.exited).toBe(0);
  expect(full.stdout).toBe('lluf');
  expect(await tight.exited).toBe(1);
  expect(tight.stderr).toContain('Connection refused');
  expect(errors).toEqual([]);
});

test('finds an abstract name of socat that has the full length', async () => {
  const abstract = `rxsock-${randomBytes(8).toString('hex')}`;
  const listener = `ABSTRACT-LISTEN:${abstract},unix-tightsocklen=0`;
  await using sort = new Program('socat', ['-d', '-d', '-t', '20', listener, 'EXEC:sort']);
  await sort.printed(/listening on AF=1/, 'stderr');

  const answer = of('b\nc\na\n').pipe(through(connect({ abstract })), toArray());

  expect(Buffer.concat(await lastValueFrom(answer)).toString()).toBe('a\nb\nc\n');
});
