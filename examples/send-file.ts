// Sends a file to receive-file: the receiver says how much of the file it has, and only the rest is sent.
import { stat } from 'node:fs/promises';
import { connect, reader, sendFile } from '@rxsock/core';
import { Command } from 'commander';
import { lastValueFrom, tap } from 'rxjs';
import { fail, parsePort, progressBar, untilCtrlC } from './cli.js';

const program = new Command('send-file')
  .description('Sends a file to receive-file. After an interruption, the same command sends the rest.')
  .argument('<host>', 'where receive-file runs')
  .argument('<port>', 'its port', parsePort)
  .argument('<file>', 'the file to send')
  .addHelpText('after', '\nTry it:\n  send-file 127.0.0.1 <port> big.iso')
  .parse();
const [host, port, path] = program.processedArgs as [string, number, string];

// Ctrl-C resets the connection, so that the receiver does not take a part of the file for the whole.
const signal = untilCtrlC();

// The dialogue: we send the size of the file; the receiver answers how many bytes it has; we send the rest and FIN;
// the receiver answers "saved".
async function send(): Promise<void> {
  const { size } = await stat(path);
  await using socket = connect({ host, port, signal });
  using answers = reader(socket, { timeout: 30_000, maxLength: 100 });
  await socket.write(`${size}\n`);
  const from = Number(await answers.readLine());
  // `!(… <= …)` is also true if the answer is not a number.
  if (!(from <= size)) throw new Error('The receiver did not say how much of the file it has');
  {
    using bar = progressBar(size, from);
    const progress = sendFile(socket, path, { from, to: size });
    await lastValueFrom(progress.pipe(tap(({ bytesSent }) => bar.update(from + bytesSent))));
  }
  const answer = await answers.readLine();
  if (answer !== 'saved') throw new Error('The receiver did not confirm that it has the whole file');
  console.log(`Sent ${size - from} of ${size} bytes`);
}

send().catch((error) => fail(error, 'Stopped: run the same command again to send the rest'));
