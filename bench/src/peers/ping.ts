// Makes round trips: sends a message of 64-byte lines, waits until as many bytes have come back, and sends the next.
import type { Role } from './role.js';

export const ping: Role = (socket, { amount, size = 64 }) => {
  const message = Buffer.alloc(size, `${'.'.repeat(63)}\n`);
  let missing = size;
  let trips = 0;
  socket.on('data', (bytes) => {
    missing -= bytes.length;
    if (missing > 0) return;
    missing += size;
    if (++trips < amount) socket.write(message);
    else socket.end();
  });
  socket.write(message);
  return () => trips;
};
