// An echo server: each client gets back what it sends, as fast as it takes it, until it half-closes.
import { data, listen, serve } from '@rxsock/core';
import { fail, onCtrlC, printEvent, type ServerOptions, serverCommand } from './cli.js';

const { host, port, drain } = serverCommand('echo-server', 'Sends back whatever a client sends.')
  .addHelpText('after', '\nTry it:\n  echo hello | nc -N 127.0.0.1 <port>')
  .parse()
  .opts<ServerOptions>();

const server = listen({ host, port });

// A client that does not read its echo is not read from either: what is on its way never grows.
server.pipe(serve((socket) => socket.pipe(data()))).subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
