// A server that answers after the client's FIN: it reads all of the input, and then sends what `wc` would print.
import { data, listen, serve } from '@rxsock/core';
import { delay, map, reduce } from 'rxjs';
import { fail, onCtrlC, printEvent } from './cli.js';
import { parseMilliseconds, type ServerOptions, serverCommandLine } from './kit/command-line.js';

interface Options extends ServerOptions {
  readonly delay: number;
}

const options = serverCommandLine(
  'half-close-server',
  'Counts the lines, words and bytes that a client sends before it half-closes.',
)
  .option('--delay <ms>', 'how long to wait before answering, in milliseconds', parseMilliseconds, 0)
  .addHelpText('after', '\nTry it (-N makes nc half-close at the end of its input):\n  nc -N 127.0.0.1 <port> < file')
  .parse()
  .opts<Options>();

interface Counts {
  readonly lines: number;
  readonly words: number;
  readonly bytes: number;
  /** Whether the last byte belongs to a word. The word may go on in the next chunk. */
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

// At the client's FIN data() completes, and reduce() emits the answer. Our side of the connection is still open.
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
  .subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close(options));
