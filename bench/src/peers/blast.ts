// Sends bytes from one buffer as fast as it can, and reads what comes back.
import type { Role } from './role.js';

const BLOCK = 1024 * 1024;
const LINE_FEED = 10;

export const blast: Role = (socket, { amount, size = BLOCK, countReceived = false }) => {
  const block = Buffer.alloc(BLOCK, 'The quick brown fox jumps over the lazy dog. ');
  for (let index = size - 1; index < BLOCK; index += size) block[index] = LINE_FEED;
  let sent = 0;
  const send = () => {
    let canWrite = true;
    while (canWrite && sent < amount) {
      const bytes = block.subarray(0, Math.min(BLOCK, amount - sent));
      sent += bytes.length;
      canWrite = socket.write(bytes);
    }
    if (sent === amount) socket.end();
  };
  socket.on('drain', send);
  let received = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
  });
  send();
  return () => (countReceived ? received : sent);
};
