// End to end: a client offers 200 MiB to a server whose consumer takes a few lines. The server's memory does not grow,
// and the client has to wait.
import { expect, onTestFinished, test } from 'vitest';
import { MEBIBYTE, offer, standstill, startServer } from './offer.mjs';

const OFFERED = 200 * MEBIBYTE;

test('a server behind a slow consumer stays small, and its client waits', async () => {
  const server = await startServer();
  onTestFinished(server.stop);
  const client = await offer(server.start.port, OFFERED);
  onTestFinished(client.stop);
  let taken = 0;
  for (let second = 0; second < 10; second++) {
    await server.take(100);
    taken += 100;
    const status = await standstill(server, client, OFFERED);
    expect(status.taken).toBe(taken);
    expect(status.holds).not.toEqual([]);
    expect(client.stalled).toBe(true);
    // What the kernel buffers at both ends, a few MiB, and nothing more.
    expect(client.sent).toBeLessThan(OFFERED / 5);
    expect(status.bytesRead).toBeLessThan(taken * 100 + MEBIBYTE);
    expect(status.resident - server.start.resident).toBeLessThan(32 * MEBIBYTE);
  }
});
