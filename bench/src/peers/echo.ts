// Sends back what it receives.
import type { Work } from './work.js';

export const echo: Work = (socket) => {
  let received = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
    socket.write(bytes);
  });
  socket.on('end', () => socket.end());
  return () => received;
};
