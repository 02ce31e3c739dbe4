// Sends a pattern again and again as fast as it can, and reads what comes back.
import { patternOf } from '../pattern.js';
import type { Role } from './role.js';

const BLOCK = 1024 * 1024;

export const blast: Role = (socket, { amount, format, countReceived = false }) => {
  const pattern = patternOf(format);
  // Whole patterns only, so that the block can be sent again and again.
  const block = Buffer.alloc(pattern.length * Math.ceil(BLOCK / pattern.length), pattern);
  let sent = 0;
  const send = () => {
    let canWrite = true;
    while (canWrite && sent < amount) {
      const bytes = block.subarray(0, Math.min(block.length, amount - sent));
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
