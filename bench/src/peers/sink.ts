// Counts what it receives, and ends the connection when the other side does.
import type { Role } from './role.js';

export const sink: Role = (socket) => {
  let received = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
  });
  socket.on('end', () => socket.end());
  return () => received;
};
