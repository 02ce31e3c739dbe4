// A server that answers late: it reads up to the client's FIN, and only then sends its answer, the counts of `wc`.
import { data, listen, serve } from '@rxsock/core';
import { delay, map, reduce } from 'rxjs';
import * as cli from './cli.js';

interface Options extends cli.ServerOptions {
  readonly delay: number;
}

const options = cli
  .serverCommand('half-close-server', 'Counts the lines, words and bytes that a client sends before it half-closes.')
  .option('--delay <ms>', 'how long to think before answering, in milliseconds', cli.milliseconds, 0)
  .addHelpText('after', '\nTry it (-N makes nc half-close at the end of its input):\n  nc -N 127.0.0.1 <port> < file')
  .parse()
  .opts<Options>();

interface Counts {
  readonly lines: number;
  readonly words: number;
  readonly bytes: number;
  /** Whether the last byte belonged to a word, which may go on in the next chunk. */
  readonly inWord: boolean;
}

function count({ lines, words, bytes, inWord }: Counts, chunk: Buffer): Counts {
  for (const byte of chunk) {
    const space = byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
    if (byte === 0x0a) lines++;
    if (!space && !inWord) words++;
    inWord = !space;
  }
  return { lines, words, bytes: bytes + chunk.length, inWord };
}

const server = listen(options);

// data() completes at the client's FIN, while our side of the connection is still open: reduce() then emits the answer.
server
  .pipe(
    serve((socket) =>
      socket.pipe(
        data(),
        reduce(count, { lines: 0, words: 0, bytes: 0, inWord: false }),
        delay(options.delay),
        map(({ lines, words, bytes }) => `${lines} ${words} ${bytes}\n`),
      ),
    ),
  )
  .subscribe({ next: cli.printEvent, error: cli.fail });

cli.onCtrlC(() => server.close(options));
