// A process that listens on a descriptor it has inherited, as its argument says (JSON), and tells its parent what becomes of
// it, and of a connection that it aborts. It closes its server when it is told to.
import fs from 'node:fs';
import { connections, serve } from '@rxsock/core';
import { listen } from '@rxsock/unix';

const { lacksTable, folder, aborts, ...options } = JSON.parse(process.argv[2]);
// As on a system that does not tell who has which sockets.
if (lacksTable) fs.readFileSync = () => JSON.parse('no table');
if (folder) process.chdir(folder);

const server = listen({ fd: 3, ...options });
if (aborts)
  server.pipe(connections()).subscribe((socket) => {
    socket.subscribe({ error: ({ message }) => process.send({ message }) });
    socket.error();
  });
server.pipe(serve((socket) => (aborts ? [] : `heir at ${socket.local.path}`))).subscribe({
  next: ({ type, address }) => {
    if (folder && type === 'listening') process.chdir('/');
    if (type === 'listening') process.send({ address, fd: server.fd });
  },
  error: ({ name, code, phase, local, message }) =>
    process.send({ name, code, phase, local, message, isOpen: isOpen() }),
});
process.once('message', () => server.close().then(() => process.send('closed')));
process.once('disconnect', () => process.exit());

function isOpen() {
  try {
    return fs.fstatSync(3).isSocket();
  } catch {
    return false;
  }
}
