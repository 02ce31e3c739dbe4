// servicePort(): names, aliases, protocols, and tables that are missing or malformed.
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SocketError } from '@rxsock/core';
import { servicePort } from '@rxsock/core/lookup';
import { defer, firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { servicesFile } from '../support/services-file.js';

const TABLE = `# name  port/protocol  aliases
smtp\t\t25/tcp\tmail\t# Simple Mail
domain 53/tcp
domain 53/udp nameserver
 whois++   63/tcp
acr-nema\t104/tcp\tdicom\r
`;

test('finds names and aliases by protocol', async () => {
  const file = await servicesFile(TABLE);
  expect(await servicePort('smtp', { file })).toBe(25);
  expect(await servicePort('mail', { file })).toBe(25);
  expect(await servicePort('domain', { file })).toBe(53);
  expect(await servicePort('nameserver', { file, protocol: 'udp' })).toBe(53);
  expect(await servicePort('whois++', { file })).toBe(63);
  expect(await servicePort('dicom', { file })).toBe(104);
});

test('can be a source that reads once, at subscription', async () => {
  const file = await servicesFile(TABLE);
  expect(await firstValueFrom(defer(() => servicePort('smtp', { file })))).toBe(25);
});

test.each([
  ['missing from the table', 'gopher', 'tcp'],
  ['of the other protocol', 'nameserver', 'tcp'],
  ['in another spelling', 'SMTP', 'tcp'],
  ['with wildcards, which have no special meaning', 'smt*', 'tcp'],
  ['only in a comment', 'Simple', 'tcp'],
  ['of an object', 'constructor', 'udp'],
] as const)('a name %s is unknown', async (_what, name, protocol) => {
  const file = await servicesFile(TABLE);
  const error = await servicePort(name, { file, protocol }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(SocketError);
  expect(error).toMatchObject({ code: 'ERR_UNKNOWN_SERVICE', phase: 'open' });
  expect((error as Error).message).toBe(
    `There is no ${protocol} service '${name}' in ${file}: give the port as a number`,
  );
});

test('skips malformed lines, and the first of two entries counts', async () => {
  const malformed = ['a', 'a tcp', 'a /tcp', 'a 1', 'a x/tcp', 'a 1x/tcp', 'a -1/tcp', 'a 0/tcp', 'a 65536/tcp'];
  const more = ['1/tcp', '#a 1/tcp', 'a#1/tcp', 'a 99999999999999999999/tcp', 'b 1/ a', '\0\uFFFD', ''];
  const file = await servicesFile([...malformed, ...more, 'a 65535/tcp', 'a 2/tcp'].join('\n'));
  expect(await servicePort('a', { file })).toBe(65_535);
  await expect(servicePort('b', { file })).rejects.toMatchObject({ code: 'ERR_UNKNOWN_SERVICE' });
});

test('finds nothing in an empty table', async () => {
  const file = await servicesFile('');
  await expect(servicePort('a', { file })).rejects.toMatchObject({ code: 'ERR_UNKNOWN_SERVICE' });
});

test('reads a table once', async () => {
  const file = await servicesFile(TABLE);
  expect(await servicePort('smtp', { file })).toBe(25);
  await rename(file, `${file}.old`);
  expect(await servicePort('domain', { file })).toBe(53);
});

describe('a table that cannot be read', () => {
  test('is an error, and is read again the next time', async () => {
    const file = join(await testFolder(), 'services');
    await expect(servicePort('a', { file })).rejects.toMatchObject({
      name: 'SocketError',
      code: 'ENOENT',
      phase: 'open',
      cause: { code: 'ENOENT' },
      message: expect.stringMatching(/^Cannot read the services file: .*give the port as a number$/),
    });
    await writeFile(file, 'a 1/tcp');
    expect(await servicePort('a', { file })).toBe(1);
  });

  test('is an error if it is a folder', async () => {
    await expect(servicePort('a', { file: await testFolder() })).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

test.each(['', '80', ' ', 'a b', 'a\n', '#a', 'a/tcp', '*', 25, null, undefined])(
  '%o cannot be the name of a service',
  (name) => {
    expect(() => servicePort(name as string)).toThrow(TypeError);
  },
);

test('rejects other protocols', () => {
  expect(() => servicePort('a', { protocol: 'sctp' as 'tcp' })).toThrow(
    /protocol must be one of 'tcp', 'udp', not 'sctp'/,
  );
});
