// A process that listens on an inherited descriptor. Its argument is JSON with the options. It sends its parent process
// the result, and the error of a connection that it aborts. It closes its server at the next message.
import fs from 'node:fs';
import { connections, serve } from '@rxsock/core';
import { listen } from '@rxsock/unix';

const { lacksTable, folder, aborts, ...options } = JSON.parse(process.argv[2]);
// As on a system that does not report which process has which sockets.
if (lacksTable) fs.readFileSync = () => JSON.parse('no table');
if (folder) process.chdir(folder);

const server = listen({ fd: 3, ...options });
if (aborts)
  server.pipe(connections()).subscribe((socket) => {
    socket.subscribe({ error: ({ message }) => process.send({ message }) });
    socket.error();
  });
server.pipe(serve((socket) => (aborts ? [] : `child at ${socket.local.path}`))).subscribe({
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
