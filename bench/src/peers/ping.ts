// Makes round trips: sends a message of lines of 64 bytes, waits until as many bytes have come back, sends the next.
import type { Work } from './work.js';

export const ping: Work = (socket, { amount, size = 64 }) => {
  const message = Buffer.alloc(size, `${'.'.repeat(63)}\n`);
  let waiting = size;
  let trips = 0;
  socket.on('data', (bytes) => {
    waiting -= bytes.length;
    if (waiting > 0) return;
    waiting += size;
    if (++trips < amount) socket.write(message);
    else socket.end();
  });
  socket.write(message);
  return () => trips;
};
