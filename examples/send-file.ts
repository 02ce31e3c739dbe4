// Sends a file to receive-file: the receiver tells how much of it it has, and only the rest is sent.
import { stat } from 'node:fs/promises';
import { connect, reader, sendFile } from '@rxsock/core';
import { Command } from 'commander';
import { lastValueFrom, tap } from 'rxjs';
import { fail, port, progressBar, untilCtrlC } from './cli.js';

const program = new Command('send-file')
  .description('Sends a file to receive-file. After an interruption, the same command sends the rest.')
  .argument('<host>', 'where receive-file runs')
  .argument('<port>', 'and its port', port)
  .argument('<file>', 'the file to send')
  .addHelpText('after', '\nTry it:\n  send-file 127.0.0.1 <port> big.iso')
  .parse();
const [host, serverPort, path] = program.processedArgs as [string, number, string];

// Ctrl-C aborts the connection: the receiver sees a reset, and does not take a part for the whole.
const signal = untilCtrlC();

// The size of the file ->, <- how many bytes the receiver has, the rest and a FIN ->, <- "saved".
async function send(): Promise<void> {
  const { size } = await stat(path);
  await using socket = connect({ host, port: serverPort, signal });
  using answers = reader(socket, { timeout: 30_000, maxLength: 100 });
  await socket.write(`${size}\n`);
  const from = Number(await answers.readLine());
  if (!(from <= size)) throw new Error('The receiver did not tell how much of the file it has');
  {
    using bar = progressBar(size, from);
    const sending = sendFile(socket, path, { from, to: size });
    await lastValueFrom(sending.pipe(tap(({ bytesSent }) => bar.update(from + bytesSent))));
  }
  if ((await answers.readLine()) !== 'saved')
    throw new Error('The receiver did not confirm that it has the whole file');
  console.log(`Sent ${size - from} of ${size} bytes`);
}

send().catch((error) => fail(error, 'Stopped: the same command sends the rest'));
