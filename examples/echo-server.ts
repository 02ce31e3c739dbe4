// An echo server: sends back what each client sends, as fast as the client reads it, until the client half-closes.
import { data, listen, serve } from '@rxsock/core';
import { fail, onCtrlC, printEvent } from './cli.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

const { host, port, drain } = serverCommandLine('echo-server', 'Sends back what each client sends.')
  .addHelpText('after', '\nTry it:\n  echo hello | nc -N 127.0.0.1 <port>')
  .parse()
  .opts<ServerOptions>();

const server = listen({ host, port });

// While a client does not read its echo, serve() does not read from that client. So the queue of bytes stays small.
server.pipe(serve((socket) => socket.pipe(data()))).subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
