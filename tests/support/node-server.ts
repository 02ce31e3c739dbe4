// A server of Node's, for one test.
import { once } from 'node:events';
import net from 'node:net';
import { onTestFinished } from 'vitest';

/** Listens until the test is over. Returns the port. */
export async function listenNode(server: net.Server): Promise<number> {
  const streams = new Set<net.Socket>();
  server.on('connection', (stream: unknown) => {
    if (!(stream instanceof net.Socket)) return;
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const stream of streams) stream.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}
