// A plain client that offers far more than the server reads, and functions that find out where it stops.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';

export const MEBIBYTE = 1024 * 1024;

/** Starts a server whose consumer takes `rate` values a second, or as many as `take` allows. */
export async function startServer(rate = 0) {
  const child = fork(new URL('./slow-server.mjs', import.meta.url), [String(rate)]);
  const [start] = await once(child, 'message');
  /** Allows the server to take this many more values. Resolves with its status. */
  const take = async (count) => {
    const answer = once(child, 'message');
    child.send({ take: count });
    return (await answer)[0];
  };
  const stop = async () => {
    const exit = once(child, 'exit');
    child.disconnect();
    await exit;
  };
  return { start, take, stop };
}

/** Offers `total` bytes in lines of 100 bytes, and waits for 'drain' as a client should. */
export async function offer(port, total) {
  const block = Buffer.from(`${'x'.repeat(99)}\n`.repeat(640));
  const socket = net.connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  let offered = 0;
  let stalls = 0;
  const write = () => {
    while (offered < total) {
      offered += block.length;
      if (!socket.write(block)) {
        stalls++;
        return;
      }
    }
  };
  socket.on('drain', write);
  write();
  return {
    /** Bytes that the kernel has accepted. */
    get sent() {
      return offered - socket.writableLength;
    },
    get stalled() {
      return offered < total && socket.writableLength > 0;
    },
    get stalls() {
      return stalls;
    },
    stop: () => socket.destroy(),
  };
}

/** Waits until the server is held and nothing moves, or everything was sent. */
export async function standstill(server, client, total) {
  let last = '';
  for (let same = 0; same < 5; same++) {
    const status = await server.take(0);
    const now = `${status.bytesRead} ${client.sent}`;
    if (client.sent >= total) return status;
    if (now !== last || status.holds.length === 0 || !client.stalled) same = 0;
    last = now;
  }
  return server.take(0);
}
