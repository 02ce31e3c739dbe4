// A server on a socket that systemd has opened. Started without systemd, it opens its own.
import { data, formatEndpoint, listen, serve } from '@rxsock/core';
import { inheritedListeners } from '@rxsock/core/process';

const [inherited] = inheritedListeners();
const server = listen(inherited ? { fd: inherited.fd } : { port: 7000 });

server.pipe(serve((socket) => socket.pipe(data()))).subscribe({
  next: (event) => {
    if (event.type === 'listening') console.log(`Listening on ${formatEndpoint(event.address)}`);
  },
  error: (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
});

process.once('SIGTERM', () => server.close({ drain: 60_000 }));
