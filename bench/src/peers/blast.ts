// Sends as fast as it can, from one buffer, and reads what comes back.
import type { Work } from './work.js';

const BLOCK = 1024 * 1024;

export const blast: Work = (socket, { amount, size = BLOCK, back = false }) => {
  const block = Buffer.alloc(BLOCK, 'The quick brown fox jumps over the lazy dog. ');
  for (let at = size - 1; at < BLOCK; at += size) block[at] = 10;
  let sent = 0;
  const send = () => {
    let room = true;
    while (room && sent < amount) {
      const bytes = block.subarray(0, Math.min(BLOCK, amount - sent));
      sent += bytes.length;
      room = socket.write(bytes);
    }
    if (sent === amount) socket.end();
  };
  socket.on('drain', send);
  let received = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
  });
  send();
  return () => (back ? received : sent);
};
