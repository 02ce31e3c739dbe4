// Sends a file to receive-file, over as many connections as it takes: each one sends what the receiver does not have yet.
import { stat } from 'node:fs/promises';
import { connect, opened, reader, sendFile } from '@rxsock/core';
import { defer, firstValueFrom, lastValueFrom, retry, tap, throwError, timer } from 'rxjs';
import { fail, messageOf, progressBar, sha256, untilCtrlC } from './cli.js';
import { commandLine, parseCount, parsePort } from './kit/command-line.js';

const program = commandLine(
  'send-file',
  'Sends a file to receive-file. After an interruption, the same command sends the rest.',
)
  .argument('<host>', 'where receive-file runs')
  .argument('<port>', 'its port', parsePort)
  .argument('<file>', 'the file to send')
  .option('--retries <number>', 'how often it connects again after a failure', parseCount, 10)
  .addHelpText('after', '\nTry it:\n  send-file 127.0.0.1 <port> big.iso')
  .parse();
const [host, port, path] = program.processedArgs as [string, number, string];
const { retries } = program.opts<{ retries: number }>();

// Ctrl-C resets the connection, so that the receiver does not take a part of the file for the whole.
const signal = untilCtrlC();
let hasConnected = false;

// The dialogue: we send the size and the SHA-256 of the file; the receiver answers how many bytes it has; we send the
// rest and FIN; the receiver checks the whole file and answers "saved". If it has parts of different files, it removes
// them and resets the connection, and the next one begins at 0.
async function send(): Promise<void> {
  const stats = await stat(path);
  if (!stats.isFile()) throw new Error(`${path} is not a regular file`);
  const { size } = stats;
  const hash = await sha256(path, signal);
  await using socket = await firstValueFrom(opened(connect({ host, port, signal })));
  hasConnected = true;
  using answers = reader(socket, { timeout: 30_000, maxLength: 100 });
  await socket.write(`${size} ${hash}\n`);
  const offset = (await answers.readLine()) ?? '';
  if (!/^\d+$/.test(offset)) throw new Error('The receiver did not say how much of the file it has');
  // If the receiver has more than the file, it has parts of another one. It finds out by the hash.
  const from = Math.min(Number(offset), size);
  {
    using bar = progressBar(size, from);
    const progress = sendFile(socket, path, { from, to: size });
    await lastValueFrom(progress.pipe(tap(({ bytesSent }) => bar.update(from + bytesSent))));
  }
  const answer = await answers.readLine();
  if (answer !== 'saved') throw new Error('The receiver did not confirm that it has the whole file');
  console.log(`Sent ${size - from} of ${size} bytes`);
}

/** Decides when to connect again. A receiver that was never there, and Ctrl-C, are the end. */
function whenToRetry(error: unknown) {
  if (!hasConnected || signal.aborted) return throwError(() => error);
  console.error(`${messageOf(error)}: connecting again`);
  return timer(500);
}

const sending = defer(send).pipe(retry({ count: retries, delay: whenToRetry }));

lastValueFrom(sending).catch((error) => fail(error, 'Stopped: run the same command again to send the rest'));
