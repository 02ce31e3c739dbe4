// Downloads a file from the file-server with progress; a transfer that fails leaves no partial file behind.
import path from 'node:path';
import { connect, data, reader, saveTo } from '@rxsock/core';
import { lastValueFrom, tap } from 'rxjs';
import { fail, progressBar, untilCtrlC } from './cli.js';
import { commandLine, parsePort } from './kit/command-line.js';

const program = commandLine('downloader', 'Downloads a file from the file-server.')
  .argument('<host>', 'where the file-server runs')
  .argument('<port>', 'its port', parsePort)
  .argument('<name>', 'the name of the file')
  .argument('[path]', 'where to save it; default: in this folder, under the same name')
  .addHelpText('after', '\nTry it with the file-server:\n  downloader 127.0.0.1 <port> big.iso')
  .parse();
const [host, port, name, target = path.basename(name)] = program.processedArgs as [string, number, string, string?];

const signal = untilCtrlC();

async function download(): Promise<void> {
  await using socket = connect({ host, port, idleTimeout: 30_000, signal });
  const header = reader(socket, { maxLength: 1000 });
  await socket.write(`${name}\n`);
  const answer = await header.readLine();
  if (answer === undefined) throw new Error('The server ended the connection without an answer');
  if (!/^\d+$/.test(answer)) throw new Error(`The server says: ${answer}`);
  const size = Number(answer);
  // The reader may have received the beginning of the file too. release() gives it back to the socket, for data().
  header.release();
  using bar = progressBar(size, 0);
  // Throws before saveTo() sees the end, so that only a file of the announced size gets its name.
  let received = 0;
  const checkSize = tap<Buffer>({
    next: (bytes) => {
      received += bytes.length;
      if (received > size) throw new Error(`Received more than the announced ${size} bytes`);
    },
    complete: () => {
      if (received < size) throw new Error(`Expected ${size} bytes, received ${received}`);
    },
  });
  const progress = socket.pipe(data(), checkSize, saveTo(target));
  await lastValueFrom(progress.pipe(tap(({ bytesSaved }) => bar.update(bytesSaved))));
  console.log(`Saved ${target}, ${size} bytes`);
}

download().catch((error) => fail(error, `Stopped: ${target} was not saved`));
