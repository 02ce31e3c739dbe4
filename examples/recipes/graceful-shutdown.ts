// A server for a container: at SIGTERM its connections finish what they do, and then it exits.
import { data, lines, listen, on, serve } from '@rxsock/core';
import { map, takeUntil } from 'rxjs';

const server = listen({ host: process.env.HOST ?? '127.0.0.1', port: Number(process.env.PORT ?? 7000) });
const draining = server.pipe(on('draining'));

server
  .pipe(
    serve((socket) =>
      socket.pipe(
        data(),
        lines(),
        takeUntil(draining), // no more requests: the answers to the last ones are sent, then FIN
        map((line) => `${line}\n`),
      ),
    ),
  )
  .subscribe({
    next: (event) => {
      if (event.type === 'listening') console.log(`Listening on port ${event.address.port}`);
      if (event.type === 'connectionError') console.error(event.error);
      if (event.type === 'close') console.log('Closed');
    },
    error: (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  });

// Docker kills what still runs ten seconds after SIGTERM. Nothing keeps the process alive when the server has closed.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close({ drain: 8_000 }));
