// A server that a new version of itself replaces, at SIGHUP, while clients go on connecting: none of them is refused.
import { fileURLToPath } from 'node:url';
import { data, lines, listen, serve } from '@rxsock/core';
import { handOver, inheritedListeners } from '@rxsock/core/process';
import { map } from 'rxjs';
import { fail, message, onCtrlC, printEvent, type ServerOptions, serverCommand } from './cli.js';

const { host, port, drain } = serverCommand('restart-without-refusing', 'Answers every line; SIGHUP restarts it.')
  .addHelpText('after', '\nTry it:\n  while echo hello | nc -N 127.0.0.1 <port>; do :; done\n  kill -HUP <process>')
  .parse()
  .opts<ServerOptions>();

// There is one if an older version has started this one, or systemd has.
const [inherited] = inheritedListeners();
const server = listen(inherited ? { fd: inherited.fd } : { host, port });

server
  .pipe(
    serve((socket) =>
      socket.pipe(
        data(),
        lines(),
        map((line) => `${process.pid}: ${line}\n`),
      ),
    ),
  )
  .subscribe({
    next: (event) => {
      printEvent(event);
      // The older version lets go when it hears this.
      if (event.type === 'listening') process.send?.('ready');
    },
    error: fail,
  });

// The program may be another one by now: it is read from the disk anew. If it does not start, this one goes on.
process.on('SIGHUP', async () => {
  const itself = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  try {
    const { pid } = await handOver(server, process.execPath, itself, { drain });
    console.log(`Process ${pid} has taken over from ${process.pid}`);
  } catch (error) {
    console.error(message(error));
  }
});

onCtrlC(() => server.close({ drain }));
