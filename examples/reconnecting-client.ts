// A client that connects again: when the server goes away, it dials again with growing delays. Lines typed meanwhile wait.
import {
  connect,
  flowFrom,
  formatEndpoint,
  lines,
  mapWithBackpressure,
  type ReconnectEvent,
  reconnect,
} from '@rxsock/core';
import { Command } from 'commander';
import { fail, message, milliseconds, port, untilCtrlC } from './cli.js';

const program = new Command('reconnecting-client')
  .description(
    'Sends its input to a server, line by line, and prints the answers. Connects again when the connection is lost.',
  )
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', port)
  .option('--delay <ms>', 'how long to wait before the second attempt, in milliseconds', milliseconds, 500)
  .addHelpText(
    'after',
    '\nTry it with the chat-server, and restart the server meanwhile:\n  reconnecting-client 127.0.0.1 <port>',
  )
  .parse();
const [host, serverPort] = program.processedArgs as [string, number];
const { delay } = program.opts<{ delay: number }>();

const backoff = { initial: delay, resetAfter: 1_000 };
const client = reconnect(() => connect({ host, port: serverPort }), { backoff, signal: untilCtrlC() });

function report(event: ReconnectEvent): void {
  if (event.type === 'connect' && event.remote) console.error(`* connected to ${formatEndpoint(event.remote)}`);
  if (event.type === 'disconnect') console.error(`* ${event.error?.message ?? 'the server has ended the connection'}`);
  if (event.type === 'retry') console.error(`* attempt ${event.attempt} in ${Math.round(event.delay)} ms`);
}

client.subscribe({ next: report, error: fail });
// Each connection has its own lines(): a line that was cut is not joined to the first line of the next connection.
const received = client
  .eachConnection((bytes) => bytes.pipe(lines()))
  .subscribe({ next: (line) => console.log(line), error: () => {} });

// The end of the input completes the client. The end of the client stops reading the input.
const typed = flowFrom<Buffer>(process.stdin).pipe(
  lines(),
  mapWithBackpressure((line) =>
    client.write(`${line}\n`).catch((error) => console.error(`* not sent: ${message(error)}`)),
  ),
);
received.add(typed.subscribe({ error: fail, complete: () => client.complete() }));
