// Sends datagrams, several at a time, and waits until all of them have come back before it sends the next ones.
import dgram from 'node:dgram';
import { once } from 'node:events';
import type { PeerOptions } from '../peer.js';
import type { Address } from '../raw.js';

/** How many datagrams are in flight: so few that no receive buffer overflows. */
const IN_FLIGHT = 32;

/** After this time without an answer a datagram counts as lost, in milliseconds. */
const LOST = 5_000;

/** Returns how many datagrams have come back. */
export async function datagrams(address: Address, { amount, size = 64 }: PeerOptions): Promise<number> {
  const socket = dgram.createSocket('udp4');
  const { port, host } = address as { port: number; host: string };
  socket.connect(port, host);
  await once(socket, 'connect');
  const message = Buffer.alloc(size, '.');
  let sent = 0;
  let received = 0;
  const burst = () => {
    for (const end = Math.min(amount, sent + IN_FLIGHT); sent < end; sent++) socket.send(message);
  };
  await new Promise<void>((resolve) => {
    const lost = setTimeout(resolve, LOST);
    socket.on('message', () => {
      received++;
      if (received < sent) return;
      lost.refresh();
      if (received === amount) resolve();
      else burst();
    });
    burst();
    lost.unref();
  });
  socket.close();
  return received;
}
