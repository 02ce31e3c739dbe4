// A plain client that offers far more than anybody takes, and the means to see where it comes to a stop.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';

export const MEBIBYTE = 1024 * 1024;

/** Starts a server whose consumer takes `rate` values a second, or what it is told to. */
export async function startServer(rate = 0) {
  const child = fork(new URL('./slow-server.mjs', import.meta.url), [String(rate)]);
  const [start] = await once(child, 'message');
  /** Tells the server to take so many more values; resolves with how it is. */
  const take = async (count) => {
    const answer = once(child, 'message');
    child.send({ take: count });
    return (await answer)[0];
  };
  const stop = async () => {
    const gone = once(child, 'exit');
    child.disconnect();
    await gone;
  };
  return { start, take, stop };
}

/** Offers `total` bytes of lines of 100 bytes, and waits for 'drain' like a good client. */
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
    /** Bytes that the kernel has taken. */
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

/** Waits until the server is held and nothing moves, or all has been sent. */
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
