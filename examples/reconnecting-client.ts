// A client that reconnects: when it loses the server, it dials again after growing delays, and lines you type wait.
import {
  connect,
  flowFrom,
  formatEndpoint,
  lines,
  mapWithBackpressure,
  type ReconnectEvent,
  reconnect,
} from '@rxsock/core';
import { fail, messageOf, printable, untilCtrlC } from './cli.js';
import { commandLine, parseMilliseconds, parsePort } from './kit/command-line.js';

const program = commandLine(
  'reconnecting-client',
  'Sends its input to a server line by line, prints the answers, and reconnects if the connection ends.',
)
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', parsePort)
  .option('--delay <ms>', 'the delay before the first new attempt, in milliseconds', parseMilliseconds, 500)
  .addHelpText(
    'after',
    '\nTry it with the chat-server, and restart the server meanwhile:\n  reconnecting-client 127.0.0.1 <port>',
  )
  .parse();
const [host, port] = program.processedArgs as [string, number];
const { delay } = program.opts<{ delay: number }>();

const backoff = { initial: delay, resetAfter: 1_000 };
const client = reconnect(() => connect({ host, port }), { backoff, signal: untilCtrlC() });

function report(event: ReconnectEvent): void {
  if (event.type === 'connect' && event.remote) console.error(`* connected to ${formatEndpoint(event.remote)}`);
  if (event.type === 'disconnect') console.error(`* ${event.error?.message ?? 'the server ended the connection'}`);
  if (event.type === 'retry') console.error(`* attempt ${event.attempt} in ${Math.round(event.delay)} ms`);
}

client.subscribe({ next: report, error: fail });
// Each connection gets its own lines(), so half a line at the end of one is not joined to the first line of the next.
const received = client
  .eachConnection((bytes) => bytes.pipe(lines()))
  .subscribe({ next: (line) => console.log(printable(line)), error: () => {} });

// mapWithBackpressure() reads the next line of the input only when the last one is sent.
const typed = flowFrom<Buffer>(process.stdin).pipe(
  lines(),
  mapWithBackpressure((line) =>
    client.write(`${line}\n`).catch((error) => console.error(`* not sent: ${messageOf(error)}`)),
  ),
);
// The end of the input completes the client, and the end of the client stops reading the input.
received.add(typed.subscribe({ error: fail, complete: () => client.complete() }));
