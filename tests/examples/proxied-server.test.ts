// The line server behind a real haproxy.
import { expect, test } from 'vitest';
import { haproxy, passingTo } from '../support/haproxy.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { Client, example } from './support.js';

test('proxied-server knows its clients behind haproxy, and refuses whoever comes without', async () => {
  await using folder = await temporaryFolder();
  await using server = example('proxied-server');
  const port = await server.port();
  const { port: front } = await haproxy(folder.path, passingTo(`127.0.0.1:${port} send-proxy-v2`));
  using client = new Client(front);
  client.socket.write('hello\nagain\n');
  await client.heard('again\n');
  const own = `127.0.0.1:${client.socket.localPort}`;
  expect(client.received.toString()).toBe(`${own}: hello\n${own}: again\n`);
  using direct = new Client(port);
  direct.socket.write('hello\n');
  expect(await direct.ended).toBe('ECONNRESET');
  await server.printed(/it does not begin with a PROXY header/, 'stderr');
});
