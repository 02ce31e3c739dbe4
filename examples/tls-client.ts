// A TLS client for the terminal: standard input to the server, half-close at its end, and what comes to standard output.
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { flowFrom, through, toReadable } from '@rxsock/core';
import { connect } from '@rxsock/tls';
import { Command } from 'commander';
import { fail, port, untilCtrlC } from './cli.js';

const program = new Command('tls-client')
  .description('Sends its input to a TLS server, and prints what comes back, until the server ends.')
  .argument('<host>', 'the server, by the name in its certificate')
  .argument('<port>', 'its port', port)
  .option('--ca <file>', 'the certificates to trust, in place of the usual ones')
  .addHelpText('after', '\nTry it with the tls-echo-server:\n  echo hello | tls-client --ca ca.pem localhost <port>')
  .parse();
const [host, serverPort] = program.processedArgs as [string, number];
const { ca } = program.opts<{ ca?: string }>();
const signal = untilCtrlC();

async function main(): Promise<void> {
  const socket = connect({ host, port: serverPort, signal, ...(ca !== undefined && { ca: await readFile(ca) }) });
  // Neither side gets ahead of the other: input is read as fast as the server takes it, answers as fast as they are printed.
  const answers = flowFrom<Buffer>(process.stdin).pipe(through(socket));
  await pipeline(toReadable(answers), process.stdout, { end: false });
}

main().catch(fail);
