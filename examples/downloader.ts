// Fetches a file from the file-server, with progress; under its name there is the whole file, or nothing new.
import path from 'node:path';
import { connect, data, reader, saveTo } from '@rxsock/core';
import { Command } from 'commander';
import { lastValueFrom, tap } from 'rxjs';
import { fail, port, progressBar, untilCtrlC } from './cli.js';

const program = new Command('downloader')
  .description('Fetches a file from the file-server.')
  .argument('<host>', 'where the file-server runs')
  .argument('<port>', 'and its port', port)
  .argument('<name>', 'the name of the file')
  .argument('[path]', 'where to save it; by default in this folder, under its own name')
  .addHelpText('after', '\nTry it with the file-server:\n  downloader 127.0.0.1 <port> big.iso')
  .parse();
const [host, serverPort, name, where = path.basename(name)] = program.processedArgs as [
  string,
  number,
  string,
  string?,
];

const signal = untilCtrlC();

async function download(): Promise<void> {
  await using socket = connect({ host, port: serverPort, idleTimeout: 30_000, signal });
  const answers = reader(socket, { maxLength: 1000 });
  await socket.write(`${name}\n`);
  const answer = await answers.readLine();
  if (!/^\d+$/.test(answer ?? '')) throw new Error(`The server says: ${answer ?? 'nothing'}`);
  const size = Number(answer);
  // What the reader has read and not used, the beginning of the file, comes to the next one who reads.
  answers.release();
  using bar = progressBar(size, 0);
  const whole = tap<Buffer>({
    complete: () => {
      if (socket.bytesRead - `${size}\n`.length !== size) throw new Error(`Not all of the ${size} bytes have come`);
    },
  });
  const saving = socket.pipe(data(), whole, saveTo(where));
  await lastValueFrom(saving.pipe(tap(({ bytesSaved }) => bar.update(bytesSaved))));
  console.log(`Saved ${where}, ${size} bytes`);
}

download().catch((error) => fail(error, `Stopped: ${where} was not saved`));
