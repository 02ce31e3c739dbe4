// A TLS client for the terminal: sends standard input, half-closes at its end, and prints what it receives.
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { flowFrom, through, toReadable } from '@rxsock/core';
import { connect } from '@rxsock/tls';
import { fail, untilCtrlC } from './cli.js';
import { commandLine, parsePort } from './kit/command-line.js';

const program = commandLine(
  'tls-client',
  'Sends its input to a TLS server and prints what comes back, until the server ends the connection.',
)
  .argument('<host>', 'the server, by the name in its certificate')
  .argument('<port>', 'its port', parsePort)
  .option('--ca <file>', 'the certificates to trust instead of the default ones')
  .addHelpText('after', '\nTry it with the tls-echo-server:\n  echo hello | tls-client --ca ca.pem localhost <port>')
  .parse();
const [host, port] = program.processedArgs as [string, number];
const { ca } = program.opts<{ ca?: string }>();
const signal = untilCtrlC();

async function main(): Promise<void> {
  const socket = connect({ host, port, signal, ...(ca !== undefined && { ca: await readFile(ca) }) });
  // Backpressure in both directions: the input waits for the server, and the server waits for the output.
  const answers = flowFrom<Buffer>(process.stdin).pipe(through(socket));
  await pipeline(toReadable(answers), process.stdout, { end: false });
}

main().catch(fail);
