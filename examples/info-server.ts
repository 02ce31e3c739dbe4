// A one-way server: it tells each client what there is to tell, and ends; it reads nothing.
import os from 'node:os';
import { formatEndpoint, listen, serve } from '@rxsock/core';
import { of } from 'rxjs';
import { fail, onCtrlC, printEvent, type ServerOptions, serverCommand } from './cli.js';

const { host, port, drain } = serverCommand('info-server', 'Tells each client the time and the state of the machine.')
  .addHelpText('after', '\nTry it:\n  nc 127.0.0.1 <port>')
  .parse()
  .opts<ServerOptions>();

const server = listen({ host, port });

// When what the handler returns completes, the client gets a FIN: it has the whole of it.
server
  .pipe(
    serve((socket) =>
      of(
        `time: ${new Date().toISOString()}\r\n`,
        `system: ${os.type()} ${os.release()}, Node ${process.version}\r\n`,
        `uptime: ${Math.round(os.uptime())} s\r\n`,
        `you: ${socket.remote ? formatEndpoint(socket.remote) : 'gone'}\r\n`,
      ),
    ),
  )
  .subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
