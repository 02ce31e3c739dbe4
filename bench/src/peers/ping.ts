// Makes round trips: sends a message of 64-byte lines, waits until as many bytes have come back, and sends the next.
import type { Role } from './role.js';

export const ping: Role = (socket, { amount, size = 64, connections = 1 }, times) => {
  const message = Buffer.alloc(size, `${'.'.repeat(63)}\n`);
  message[size - 1] = 10;
  let missing = size;
  let trips = 0;
  let start = 0;
  const send = () => {
    start = performance.now();
    socket.write(message);
  };
  socket.on('data', (bytes) => {
    missing -= bytes.length;
    if (missing > 0) return;
    missing += size;
    times.add(performance.now() - start);
    if (++trips < amount / connections) send();
    else socket.end();
  });
  send();
  return () => trips;
};
