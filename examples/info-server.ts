// A one-way server: it sends each client some information and ends the connection; it reads nothing.
import os from 'node:os';
import { formatEndpoint, listen, serve } from '@rxsock/core';
import { of } from 'rxjs';
import { fail, onCtrlC, printEvent } from './cli.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

const { host, port, drain } = serverCommandLine(
  'info-server',
  'Sends each client the time and the state of the machine.',
)
  .addHelpText('after', '\nTry it:\n  nc -d 127.0.0.1 <port>')
  .parse()
  .opts<ServerOptions>();

const server = listen({ host, port });

// When the Observable of the handler completes, serve() sends FIN: the client knows that it has received everything.
server
  .pipe(
    serve((socket) =>
      of(
        `time: ${new Date().toISOString()}\r\n`,
        `system: ${os.type()} ${os.release()}, Node ${process.version}\r\n`,
        `uptime: ${Math.round(os.uptime())} s\r\n`,
        `you: ${socket.remote ? formatEndpoint(socket.remote) : 'unknown'}\r\n`,
      ),
    ),
  )
  .subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
