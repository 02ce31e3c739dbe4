// Counts what it receives, and ends when its peer does.
import type { Work } from './work.js';

export const sink: Work = (socket) => {
  let received = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
  });
  socket.on('end', () => socket.end());
  return () => received;
};
