// A request and its reply in datagrams: sent again when no reply comes, for datagrams get lost.
import { connect, request } from '@rxsock/udp';
import { Command } from 'commander';
import { count, fail, milliseconds, port, untilCtrlC } from './cli.js';

const program = new Command('udp-client')
  .description('Sends a datagram, and prints the reply.')
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', port)
  .argument('<text>', 'what to send')
  .option('--timeout <ms>', 'how long to wait for the reply each time, in milliseconds', milliseconds, 1000)
  .option('--retries <number>', 'how often to send it again', count, 2)
  .addHelpText('after', '\nTry it with the udp-echo-server:\n  udp-client 127.0.0.1 <port> hello')
  .parse();
const [host, serverPort, text] = program.processedArgs as [string, number, string];

// A connected socket hears its peer alone: what strangers send is no reply.
const socket = connect({ host, port: serverPort, signal: untilCtrlC() });

request(socket, text, program.opts<{ timeout: number; retries: number }>()).subscribe({
  next: ({ data }) => console.log(data.toString()),
  error: fail,
});
