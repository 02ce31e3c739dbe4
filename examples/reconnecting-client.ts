// A client that comes back: when the server goes, it dials again, with growing delays; what is typed meanwhile waits.
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
  .description('Sends its input to a server, line by line, and prints what comes back, through all interruptions.')
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', port)
  .option('--delay <ms>', 'how long to wait before the second attempt, in milliseconds', milliseconds, 500)
  .addHelpText(
    'after',
    '\nTry it with the chat-server, and start that anew meanwhile:\n  reconnecting-client 127.0.0.1 <port>',
  )
  .parse();
const [host, serverPort] = program.processedArgs as [string, number];
const { delay } = program.opts<{ delay: number }>();

const backoff = { initial: delay, resetAfter: 1_000 };
const link = reconnect(() => connect({ host, port: serverPort }), { backoff, signal: untilCtrlC() });

function tell(event: ReconnectEvent): void {
  if (event.type === 'connect' && event.remote) console.error(`* connected to ${formatEndpoint(event.remote)}`);
  if (event.type === 'disconnect') console.error(`* ${event.error?.message ?? 'the server has ended the connection'}`);
  if (event.type === 'retry') console.error(`* attempt ${event.attempt} in ${Math.round(event.delay)} ms`);
}

link.subscribe({ next: tell, error: fail });
// Each connection begins with a line of its own: what was cut is not glued to what comes next.
const heard = link.eachConnection(lines()).subscribe({ next: (line) => console.log(line), error: () => {} });

// The end of the input is the end of the last connection, too; and the end of the link that of the input.
const typed = flowFrom<Buffer>(process.stdin).pipe(
  lines(),
  mapWithBackpressure((line) =>
    link.write(`${line}\n`).catch((error) => console.error(`* not sent: ${message(error)}`)),
  ),
);
heard.add(typed.subscribe({ error: fail, complete: () => link.complete() }));
