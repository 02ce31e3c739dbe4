// What happens to the file of a server that has been handed over.
import { once } from 'node:events';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { killChild, nextMessage, startChild } from '../../../../tests/support/processes/index.js';
import { ask, temporaryPath } from '../../../../tests/support/unix-servers.js';
import { parseAddress } from '../../src/address.js';
import { NewSocketServer } from '../../src/new-socket-server.js';

const program = fileURLToPath(new URL('inherit-listener.mjs', import.meta.url));

/** A server, and a process that has inherited its socket. */
async function handedOver(path: string) {
  const options = { mode: 0o600, removeStale: false, backlog: 511, highWaterMark: 65_536 };
  const server = new NewSocketServer(parseAddress({ path }), options).start();
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { _handle: handle } = server as unknown as { _handle: { fd: number } };
  const child = startChild([handle.fd], { path }, program);
  await nextMessage(child);
  server.surrender();
  return { server, child };
}

test('it stays for the successor', async () => {
  const { path } = temporaryPath();
  const { server } = await handedOver(path);
  server.close();
  expect(await ask(path)).toBe(`child at ${path}`);
});

test('it is removed if the successor is gone, cleanly or not', async () => {
  for (const end of ['close', 'kill']) {
    const { folder, path } = temporaryPath();
    const { server, child } = await handedOver(path);
    if (end === 'close') {
      child.send('close');
      expect(await nextMessage(child)).toBe('closed');
    }
    await killChild(child);
    expect(fs.readdirSync(folder)).toEqual(['s']);
    server.close();
    expect(fs.readdirSync(folder)).toEqual([]);
  }
});

test('it stays if the system does not report who listens', async () => {
  const { folder, path } = temporaryPath();
  const { server, child } = await handedOver(path);
  await killChild(child);
  const read = vi.spyOn(fs, 'readFileSync').mockImplementation(() => {
    throw Object.assign(new Error('no table'), { code: 'ENOENT' });
  });
  onTestFinished(() => read.mockRestore());
  server.close();
  expect(fs.readdirSync(folder)).toEqual(['s']);
});
