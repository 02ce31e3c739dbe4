// An echo server for datagrams: it sends each datagram back to its sender.
import { formatEndpoint, on } from '@rxsock/core';
import { bind } from '@rxsock/udp';
import { fail, onCtrlC } from './cli.js';
import { commandLine, parsePort } from './kit/command-line.js';

const options = commandLine('udp-echo-server', 'Sends each datagram back to its sender.')
  .option('--host <address>', 'the address to bind to', '127.0.0.1')
  .option('--port <number>', 'the port to bind to; 0 means any free port', parsePort, 0)
  .addHelpText('after', '\nTry it:\n  echo hello | nc -u -w 1 127.0.0.1 <port>')
  .parse()
  .opts<{ host: string; port: number }>();

const socket = bind(options);

// A `message` event has the `data` and `remote` of a datagram, so it can be sent as it is. UDP cannot make a sender
// wait: datagrams that arrive faster than the socket can send them are lost.
socket.pipe(on('message')).subscribe(socket);

socket.subscribe({
  next: (event) => {
    if (event.type === 'listening') console.log(`Listening on ${formatEndpoint(event.address)}`);
    if (event.type === 'sendError') console.error(event.error.message);
  },
  error: fail,
});

onCtrlC(() => socket.close());
