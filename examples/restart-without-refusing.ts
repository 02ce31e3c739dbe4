// A server that restarts at SIGHUP: a new process takes over the listening socket, and no connection is refused.
import { fileURLToPath } from 'node:url';
import { data, lines, listen, serve } from '@rxsock/core';
import { handOver, inheritedListeners } from '@rxsock/core/process';
import { map } from 'rxjs';
import { fail, messageOf, onCtrlC, printEvent } from './cli.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

const { host, port, drain } = serverCommandLine('restart-without-refusing', 'Answers every line; SIGHUP restarts it.')
  .addHelpText('after', '\nTry it:\n  while echo hello | nc -N 127.0.0.1 <port>; do :; done\n  kill -HUP <process>')
  .parse()
  .opts<ServerOptions>();

// There is an inherited listener if an older process, or systemd, has started this one.
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
      // handOver() in the older process waits for this message. Then that process stops accepting connections.
      if (event.type === 'listening') process.send?.('ready');
    },
    error: fail,
  });

// The new process reads the program from the disk again, so it may be a new version. If it does not start, this
// process keeps running.
process.on('SIGHUP', async () => {
  const command = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  try {
    const { pid } = await handOver(server, process.execPath, command, { drain });
    console.log(`Process ${pid} has taken over from ${process.pid}`);
  } catch (error) {
    console.error(messageOf(error));
  }
});

onCtrlC(() => server.close({ drain }));
