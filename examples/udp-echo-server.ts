// An echo server for datagrams: each goes back to where it came from.
import { formatEndpoint, on } from '@rxsock/core';
import { bind } from '@rxsock/udp';
import { Command } from 'commander';
import { fail, onCtrlC, port } from './cli.js';

const options = new Command('udp-echo-server')
  .description('Sends each datagram back to where it came from.')
  .option('--host <address>', 'the address to receive at', '127.0.0.1')
  .option('--port <number>', 'the port to receive at; 0 takes any free one', port, 0)
  .addHelpText('after', '\nTry it:\n  echo hello | nc -u -w 1 127.0.0.1 <port>')
  .parse()
  .opts<{ host: string; port: number }>();

const socket = bind(options);

// A message is a datagram to its sender as it is, and the socket takes datagrams. Nobody can make senders wait: what comes
// faster than it can be sent is lost.
socket.pipe(on('message')).subscribe(socket);

socket.subscribe({
  next: (event) => {
    if (event.type === 'listening') console.log(`Listening on ${formatEndpoint(event.address)}`);
    if (event.type === 'sendError') console.error(event.error.message);
  },
  error: fail,
});

onCtrlC(() => socket.close());
