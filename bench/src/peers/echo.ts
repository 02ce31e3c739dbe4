// Sends back what it receives.
import type { Role } from './role.js';

export const echo: Role = (socket) => {
  let received = 0;
  socket.on('data', (bytes) => {
    received += bytes.length;
    socket.write(bytes);
  });
  socket.on('end', () => socket.end());
  return () => received;
};
