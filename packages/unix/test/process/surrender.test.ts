// What becomes of the file of a server that has been handed over.
import { once } from 'node:events';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { exited, heir, said } from '../../../../tests/support/processes/index.js';
import { ask, place } from '../../../../tests/support/unix-servers.js';
import { placeOf } from '../../src/address.js';
import { PathServer } from '../../src/path-server.js';

const program = fileURLToPath(new URL('heir.mjs', import.meta.url));

/** A server, and a process that has inherited its socket. */
async function handedOver(path: string) {
  const options = { mode: 0o600, removeStale: false, backlog: 511, highWaterMark: 65_536 };
  const server = new PathServer(placeOf({ path }), options).start();
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { _handle: handle } = server as unknown as { _handle: { fd: number } };
  const child = heir([handle.fd], { path }, program);
  await said(child);
  server.surrender();
  return { server, child };
}

test('it stays for the successor', async () => {
  const { path } = place();
  const { server } = await handedOver(path);
  server.close();
  expect(await ask(path)).toBe(`heir at ${path}`);
});

test('it goes if the successor has gone, orderly or not', async () => {
  for (const end of ['close', 'kill']) {
    const { folder, path } = place();
    const { server, child } = await handedOver(path);
    if (end === 'close') {
      child.send('close');
      expect(await said(child)).toBe('closed');
    }
    await exited(child);
    expect(fs.readdirSync(folder)).toEqual(['s']);
    server.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  }
});

test('it stays where the system does not tell who listens', async () => {
  const { folder, path } = place();
  const { server, child } = await handedOver(path);
  await exited(child);
  const read = vi.spyOn(fs, 'readFileSync').mockImplementation(() => {
    throw Object.assign(new Error('no table'), { code: 'ENOENT' });
  });
  onTestFinished(() => read.mockRestore());
  server.close();
  expect(fs.readdirSync(folder)).toEqual(['s']);
});
