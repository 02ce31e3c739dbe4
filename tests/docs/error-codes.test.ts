// The page of errors has every code that the packages make, and no other.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesOf, root } from '../support/snippets.js';

/** Codes of Node that the packages turn into others, or only look for. */
const NOT_OURS = new Set(['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'ERR_TLS_HANDSHAKE_TIMEOUT']);

async function sources(): Promise<string[]> {
  const files = await filesOf('packages/*/src/**/*.ts');
  return await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')));
}

async function codesInSources(): Promise<string[]> {
  const codes = (await sources()).flatMap((text) => [...text.matchAll(/'(ERR_[A-Z_]+)'/g)].map(([, code]) => code!));
  return [...new Set(codes)].filter((code) => !NOT_OURS.has(code)).sort();
}

async function codesInPage(): Promise<string[]> {
  const page = await readFile(join(root, 'docs', 'errors.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| `E/.test(line));
  return rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`(ERR_[A-Z_]+)`/g)].map(([, code]) => code!));
}

test('the page of errors explains every code once', async () => {
  const made = await codesInSources();
  expect(made.length).toBeGreaterThan(45);
  const page = (await codesInPage()).filter((code) => code !== 'ERR_TLS_CERT_ALTNAME_INVALID'); // Node's own
  expect(page.sort()).toEqual(made);
});

test('the page of errors explains every option that is a time limit', async () => {
  const page = await readFile(join(root, 'docs', 'errors.md'), 'utf8');
  const options = (await sources()).flatMap((text) => [...text.matchAll(/readonly (\w+Timeout)\?:/g)]);
  const limits = [...new Set(options.map(([, name]) => name!))];
  expect(limits.length).toBeGreaterThan(10);
  expect(limits.filter((limit) => !page.includes(`\n| \`${limit}\` |`))).toEqual([]);
});
