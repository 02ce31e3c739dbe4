// A request and its reply as datagrams: datagrams get lost, so the request is sent again until a reply comes.
import { connect, request } from '@rxsock/udp';
import { fail, untilCtrlC } from './cli.js';
import { commandLine, parseCount, parseMilliseconds, parsePort } from './kit/command-line.js';

const program = commandLine('udp-client', 'Sends a datagram, and prints the reply.')
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', parsePort)
  .argument('<text>', 'the text to send')
  .option('--timeout <ms>', 'how long to wait for a reply at each attempt, in milliseconds', parseMilliseconds, 1000)
  .option('--retries <number>', 'how many times to send it again', parseCount, 2)
  .addHelpText('after', '\nTry it with the udp-echo-server:\n  udp-client 127.0.0.1 <port> hello')
  .parse();
const [host, port, text] = program.processedArgs as [string, number, string];

// A connected socket receives datagrams only from its peer, so a stranger cannot send a false reply.
const socket = connect({ host, port, signal: untilCtrlC() });

request(socket, text, program.opts<{ timeout: number; retries: number }>()).subscribe({
  next: ({ data }) => console.log(data.toString()),
  error: fail,
});
